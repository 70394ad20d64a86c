"""What stands in the record as a salted digest, and is told later, to some, or never.

A rater's marks stand there cell by cell, the whole grid of them (`grid`), before anybody sees another's; what opens a
cell (`disclosure`, RFC 9901) stays outside and is held against the grid (`openings`). Personal data is kept the same
way (`objects`): without the salt nothing leads back from the digest that is left.
"""
