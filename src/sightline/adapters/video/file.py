"""Opening a video file: local files only, known containers only, one decoding thread, vendor errors translated.

A playlist or a session description names other files or addresses, so their demuxers are not on the list, and no
protocol but `file` is allowed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.codec.context import Flags

from sightline.adapters.opened import Place
from sightline.errors import InvalidVideo, NotFound, Unavailable

__all__ = ["OWN_FILES", "UPLOADS", "VideoFile", "VideoLimits"]

_VIDEO = (
    "mov,matroska,avi,mpegts,mpegtsraw,mpeg,mpegvideo,h261,h263,h264,hevc,vvc,evc,obu,av1,ivf,m4v,vc1,cavsvideo,dirac,"
    "flv,live_flv,asf,asf_o,ogg,mxf,gxf,nut,nuv,dv,wtv,rm,nsv,ty,swf,mjpeg,mjpeg_2000,yuv4mpegpipe,gif,apng"
)
# Streams without a container: nothing in them says when a frame is shown.
_RAW = frozenset(
    [
        "h261",
        "h263",
        "h264",
        "hevc",
        "vvc",
        "evc",
        "obu",
        "av1",
        "m4v",
        "mpegvideo",
        "mjpeg",
        "mjpeg_2000",
        "vc1",
        "cavsvideo",
        "dirac",
        "avs2",
        "avs3",
    ]
)
_AUDIO = "mp3,wav,w64,flac,aac,aiff,caf,ac3,eac3,dts,amr,ape,tta,wv,au"
_CONTAINER_START = re.compile(
    rb"....(ftyp|moov|mdat|free|skip|wide|styp|moof|sidx)|RIFF|\x1a\x45\xdf\xa3|OggS|FLV|\x00\x00\x01[\xb3\xba]|"
    rb"\x30\x26\xb2\x75|(\x47.{187}){2}",
    re.DOTALL,
)

# Pictures behind each other, bare or as the parts of a web camera's answer.
_MOTION_JPEG = re.compile(rb"\xff\xd8\xff|[\t\r\n -~]{0,2000}content-type: *image/jpe?g", re.IGNORECASE)
_ONE_PICTURE = frozenset({".jpg", ".jpeg"})

_PARAMETERS = (
    "width",
    "height",
    "pix_fmt",
    "codec_tag",
    "bits_per_coded_sample",
    "field_order",
    "reorder_depth",
    "color_range",
    "color_primaries",
    "color_trc",
    "colorspace",
)


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """What a video may be before it is refused.

    Attributes:
        side: longest side in pixels.
        pixels: of one frame.
        frames: in the file.
        streams: in the container.
        containers: demuxers, separated by commas.
        codecs: names, empty for any that can be decoded.
    """

    side: int = 16_384
    pixels: int = 16_384 * 8_640
    frames: int = 20_000_000
    streams: int = 64
    containers: str = f"{_VIDEO},{_AUDIO}"
    codecs: frozenset[str] = frozenset()


OWN_FILES = VideoLimits()
UPLOADS = VideoLimits(
    side=8_192,
    pixels=36_000_000,
    frames=500_000,
    streams=8,
    containers="mov,matroska,avi,mpegts",
    codecs=frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg"}),
)


class VideoFile:
    """An open container and the stream that is "the" video.

    Attributes:
        container: `av.InputContainer`.
        stream: the best video stream.
        codec: its name, e.g. `h264`.
        raw: there is no container, and so there are no times but those that FFmpeg makes up.
        size: bytes of the file.
    """

    def __init__(self, path: Place, name: str, limits: VideoLimits, source: Any = None) -> None:
        """Open a file.

        Args:
            path: of the file, or the file where it is open already.
            name: for messages.
            limits: what is refused.
            source: a seekable binary file that is read instead of `path`.

        Raises:
            NotFound: no such file.
            Unavailable: it cannot be read.
            InvalidVideo: `empty`, `not_video`, `unreadable`, `no_video` or `limit`.
        """
        self.name, self.size = name, _size(path, name)
        if not self.size:
            raise InvalidVideo(name, reason="the file is empty (0 bytes): copy it again", code="empty")
        self.container = _open(path, name, limits, source)
        try:
            self.stream = _video_stream(self.container, name, limits)
            _check(self.stream, name, limits)
        except InvalidVideo:
            self.container.close()
            raise
        self.raw = self.container.format.name in _RAW
        self.codec: str = self.stream.codec_context.codec.canonical_name
        self._pixels = limits.pixels
        _restrain(self.stream.codec_context, limits.pixels)

    def new_decoder(self) -> Any:
        """A decoder for the stream that has seen nothing of it (0.02 to 0.1 ms).

        A flush is not enough: after a damaged picture FFmpeg's H.264, MPEG-4 and MJPEG decoders give other pixels for
        intact groups that follow.
        """
        given = self.stream.codec_context
        fresh = av.CodecContext.create(given.codec, "r")
        if given.extradata is not None:
            fresh.extradata = given.extradata
        for name in _PARAMETERS:
            setattr(fresh, name, getattr(given, name))
        _restrain(fresh, self._pixels)
        return fresh

    def close(self) -> None:
        """Release the file. Repeating is harmless."""
        self.container.close()


def _restrain(context: Any, pixels: int) -> None:
    context.thread_count, context.thread_type = 1, "NONE"
    context.flags |= Flags.bitexact
    # Decoders compare padded sizes and then say no more than "invalid"; the reader itself is exact about `limit`.
    context.options = {"max_pixels": str(pixels + pixels // 8 + 1_000_000)}


def _size(path: Place, name: str) -> int:
    try:
        if path.is_dir():
            raise NotFound(f"{name}: is a folder, not a video file")
        return path.stat().st_size
    except FileNotFoundError as exc:
        raise NotFound(f"{name}: no such file") from exc
    except OSError as exc:
        raise Unavailable(
            f"{name}: cannot be read ({exc.strerror}); check the disk and the permissions"
        ) from exc


def _open(path: Place, name: str, limits: VideoLimits, source: Any) -> Any:
    # An absolute path cannot be taken for "protocol:address" or "concat:...".
    target = source or (str(path.absolute()) if isinstance(path, Path) else path.stream())
    options = {"protocol_whitelist": "file", "format_whitelist": limits.containers}
    # FFmpeg takes motion JPEG for a list of images, which is not allowed, unless it is told.
    form = "mjpeg" if "mjpeg" in limits.containers.split(",") and _is_motion_jpeg(path, source) else None
    try:
        return av.open(
            target, format=form, container_options=options, metadata_errors="replace", buffer_size=1 << 18
        )
    except FileNotFoundError as exc:
        raise NotFound(f"{name}: no such file") from exc
    except PermissionError as exc:
        raise InvalidVideo(name, reason="permission denied: make it readable", code="unreadable") from exc
    except (av.error.FFmpegError, ValueError) as exc:
        # Out of memory too: a damaged table asks for any amount.
        if _looks_like_a_container(path):
            reason = "the container is damaged or cut off before its index: copy or download the file again"
            raise InvalidVideo(name, reason=reason, code="unreadable") from exc
        reason = "not a video container that can be opened: convert it to MP4, MKV, AVI or MPEG-TS"
        raise InvalidVideo(name, reason=reason, code="not_video") from exc


def _is_motion_jpeg(path: Place, source: Any) -> bool:
    if source is not None or path.suffix.lower() in _ONE_PICTURE:
        return False
    try:
        with path.open("rb") as file:
            return _MOTION_JPEG.match(file.read(4096)) is not None
    except OSError:
        return False  # the one who opens it says why


def _looks_like_a_container(path: Place) -> bool:
    with path.open("rb") as file:
        return _CONTAINER_START.match(file.read(1024)) is not None


def _video_stream(container: Any, name: str, limits: VideoLimits) -> Any:
    if len(container.streams) > limits.streams:
        reason = f"{len(container.streams)} streams, at most {limits.streams} are allowed: extract the video"
        raise InvalidVideo(name, reason=reason, code="limit")
    stream = container.streams.best("video")
    if stream is None or stream.disposition & stream.disposition.attached_pic:
        reason = "no video stream (audio, subtitles or a cover only): choose a file with moving pictures"
        raise InvalidVideo(name, reason=reason, code="no_video")
    return stream


def _check(stream: Any, name: str, limits: VideoLimits) -> None:
    context = stream.codec_context
    if context is None:
        raise InvalidVideo(
            name, reason="its codec cannot be decoded here: convert it to H.264", code="unreadable"
        )
    codec = context.codec.canonical_name
    if limits.codecs and codec not in limits.codecs:
        reason = f"codec {codec} is not accepted: convert it to one of {', '.join(sorted(limits.codecs))}"
        raise InvalidVideo(name, reason=reason, code="unreadable")
    width, height = context.width, context.height
    if max(width, height) > limits.side or width * height > limits.pixels:
        reason = f"{width} x {height} pixels, at most {limits.side} a side and {limits.pixels} in all: scale it down"
        raise InvalidVideo(name, reason=reason, code="limit")
