"""Smaller pictures."""
import io

from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = 40_000_000  # a small file may hold a huge picture; Pillow refuses twice as many


def shrink(data, width):
    """The picture as a PNG that is at most as wide as width, and its size."""
    with Image.open(io.BytesIO(data)) as image:
        image = ImageOps.exif_transpose(image)
        image.thumbnail((width, max(1, round(image.height * width / image.width))))
        out = io.BytesIO()
        image.convert("RGBA").save(out, "PNG")
    return out.getvalue(), image.size
