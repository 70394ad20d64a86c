"""What an outsider does with a published record: it is packed into a bundle, and a bundle is checked and replayed."""

from dokja.verify.audiences import Audience
from dokja.verify.bundle import Source, export
from dokja.verify.verdict import CODES, Fault, Unchecked, Verdict
from dokja.verify.verifying import verify

__all__ = ["CODES", "Audience", "Fault", "Source", "Unchecked", "Verdict", "export", "verify"]
