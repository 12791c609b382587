"""What a video is called over HTTP, by its first bytes: names and types that a client gave are not asked."""

from __future__ import annotations

from sightline.api.magic import HEAD, kind_of

__all__ = ["HEAD", "video_type"]


def video_type(head: bytes) -> tuple[str, str]:
    r"""Content type and file ending of a source.

    >>> video_type(b"\0\0\0\x20ftypisom"), video_type(b"\x1a\x45\xdf\xa3....webm"), video_type(b"no video")
    (('video/mp4', 'mp4'), ('video/webm', 'webm'), ('application/octet-stream', 'bin'))
    """
    kind = kind_of(head)
    if kind == "image":
        return ("image/png", "png") if head.startswith(b"\x89PNG") else ("image/jpeg", "jpg")
    if kind is None:
        return "application/octet-stream", "bin"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return ("video/webm", "webm") if b"webm" in head[:64] else ("video/x-matroska", "mkv")
    if head.startswith(b"RIFF"):
        return "video/x-msvideo", "avi"
    if head[:1] == b"G" or head[4:5] == b"G":
        return "video/mp2t", "ts"
    return ("video/quicktime", "mov") if head[8:12] == b"qt  " else ("video/mp4", "mp4")
