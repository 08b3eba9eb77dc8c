"""objects.py - a store that speaks S3: it computes each signature (Signature
Version 4) by itself and compares, and knows If-Match and If-None-Match.

Facts: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html,
docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html.
"""

import datetime
import hashlib
import hmac
import re
import urllib.parse

from store.served import Served

REGION = "eu-central-1"
KEY, SECRET = "AKIATESTOFSTORES0001", "s3cr3t/of+the/store=And40CharactersLong0"
SHORT, SHORT_SECRET = "ASIATESTOFSTORES0002", "another+s3cr3t/Of40CharactersForAWhile01"
SESSION = "FwoGZXIvYXdzEtoken//of+a/session=="
BUCKET, RECORD = "team-state", "gpu/podform.lock"


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Refused(Exception):
    """By the code that S3 gives."""


def plain(text):
    return " ".join(text.split())


def canonical_query(query):
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    return "&".join(sorted(
        urllib.parse.quote(name, safe="-_.~") + "=" +
        urllib.parse.quote(value, safe="-_.~") for name, value in pairs))


def check_signature(request):
    """Which headers are signed; Refused if the signature is not ours."""
    headers = request.headers
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request,"
        r" ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""))
    if not match:
        raise Refused("AccessDenied")
    key, day, region, names, signature = match.groups()
    secret = {KEY: SECRET, SHORT: SHORT_SECRET}.get(key)
    if secret is None:
        raise Refused("InvalidAccessKeyId")
    if headers.get("X-Amz-Security-Token") != \
            (SESSION if key == SHORT else None):
        raise Refused("InvalidToken")
    when = headers.get("X-Amz-Date", "")
    moment = datetime.datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(
        tzinfo=datetime.timezone.utc)
    now = datetime.datetime.now(datetime.timezone.utc)
    if abs((now - moment).total_seconds()) > 900 or when[:8] != day:
        raise Refused("RequestTimeTooSkewed")
    if region != REGION:
        raise Refused("AuthorizationHeaderMalformed")
    digest = headers.get("X-Amz-Content-Sha256", "")
    if digest not in ("UNSIGNED-PAYLOAD",
                      hashlib.sha256(request.body).hexdigest()):
        raise Refused("XAmzContentSHA256Mismatch")
    signed = names.split(";")
    must = {"host"} | {name.lower() for name in headers
                       if name.lower().startswith("x-amz-")}
    if signed != sorted(signed) or not must <= set(signed):
        raise Refused("AccessDenied")
    text = "\n".join([
        request.method, request.path, canonical_query(request.query),
        *(name + ":" + plain(headers.get(name, "")) for name in signed),
        "", names, digest])
    scope = f"{day}/{region}/s3/aws4_request"
    derived = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        derived = sign(derived, part)
    wanted = sign(derived, "\n".join([
        "AWS4-HMAC-SHA256", when, scope,
        hashlib.sha256(text.encode()).hexdigest()])).hex()
    if not hmac.compare_digest(wanted, signature):
        raise Refused("SignatureDoesNotMatch")
    return set(signed)


def error(status, code):
    return status, {"Content-Type": "application/xml"}, (
        f"<Error><Code>{code}</Code></Error>").encode()


class Objects(Served):
    secrets = (SECRET, SHORT_SECRET, SESSION)

    def __init__(self, heeds_conditions=True):
        super().__init__()
        self.heeds_conditions = heeds_conditions
        self.objects, self.wrong, self.signed = {}, [], []
        self.url = f"s3://{BUCKET}/{RECORD}?region={REGION}" \
            f"&endpoint=http://127.0.0.1:{self.port}"
        self.env = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        self.bad_env = {**self.env, "AWS_SECRET_ACCESS_KEY": "no such"}

    def record(self):
        return self.objects.get(f"/{BUCKET}/{RECORD}")

    def held(self):
        return f"/{BUCKET}/{RECORD}.hold" in self.objects

    def clear(self):
        self.objects, self.asked, self.away = {}, [], False

    def answer(self, request):
        try:
            self.signed.append((request, check_signature(request)))
        except Refused as refused:
            self.wrong.append((str(request), str(refused)))
            return error(403, refused)
        if not request.path.startswith(f"/{BUCKET}/"):
            return error(404, "NoSuchBucket")
        there = self.objects.get(request.path)
        tag = there and '"%s"' % hashlib.md5(there).hexdigest()
        if self.heeds_conditions and request.method != "GET":
            wants = request.headers.get("If-Match")
            if wants and there is None:
                return error(404, "NoSuchKey")
            if (wants and wants != tag) or (
                    request.headers.get("If-None-Match") == "*" and there):
                return error(412, "PreconditionFailed")
        if request.method == "GET":
            return (200, {"ETag": tag}, there) if there is not None \
                else error(404, "NoSuchKey")
        if request.method == "PUT":
            self.objects[request.path] = request.body
            return 200, {"ETag": '"%s"' %
                         hashlib.md5(request.body).hexdigest()}, b""
        if request.method == "DELETE":
            self.objects.pop(request.path, None)
            return 204, {}, b""
        return error(405, "MethodNotAllowed")
