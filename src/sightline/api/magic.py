"""What bytes are by their beginning. Names and types that a client gives are not asked."""

from __future__ import annotations

from sightline.api.backend import MediaType

__all__ = ["HEAD", "kind_of"]

HEAD = 512
_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"moof"})
_PACKET = 188


def kind_of(head: bytes) -> MediaType | None:
    r"""A video in a container that is read here, a JPEG or PNG, or None.

    >>> kind_of(b"\x89PNG\r\n\x1a\n"), kind_of(b"GIF89a"), kind_of(b"\0\0\0\x20ftypisom")
    ('image', None, 'video')
    """
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return "image"
    matroska = head.startswith(b"\x1a\x45\xdf\xa3")
    avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return "video" if head[4:8] in _BOXES or matroska or avi or _transport(head) else None


def _transport(head: bytes) -> bool:
    """MPEG-TS: a byte that comes again with every packet; those of cameras have four bytes before it."""
    plain = head[:1] == b"G" and head[_PACKET : _PACKET + 1] == b"G"
    return plain or (head[4:5] == b"G" and head[_PACKET + 8 : _PACKET + 9] == b"G")
