"""What a team hands in, as files: walked strictly, hashed on all processors, signed as others' tools understand."""

from dokja.record.submission.files import Digests, digest_of, hash_files
from dokja.record.submission.manifest import DIFFERS, check_manifest, read_manifest, sign_manifest

__all__ = ["DIFFERS", "Digests", "check_manifest", "digest_of", "hash_files", "read_manifest", "sign_manifest"]
