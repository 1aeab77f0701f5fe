"""The multipart form of a bulk job.

Reference:
    OsonSMS protocol 1.5, §5.1.
"""

from email.parser import BytesParser
from email.policy import HTTP

from aiohttp import web


async def read_form(request: web.Request) -> tuple[dict[str, str], bytes | None]:
    """Return the fields of a multipart form and the content of its file; nothing for another body."""
    fields: dict[str, str] = {}
    file = None
    if request.content_type != "multipart/form-data":
        return fields, file
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + await request.read())
    for part in form.iter_parts():
        payload, name = part.get_payload(decode=True), part.get_param("name", header="Content-Disposition")
        content = payload if isinstance(payload, bytes) else b""
        if name == "file":
            file = content
        elif name:
            fields[str(name)] = content.decode(errors="replace")
    return fields, file
