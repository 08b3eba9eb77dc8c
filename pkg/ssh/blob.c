/* blob.c - see blob.h */
#include "ssh/blob.h"

#include <sha256.h>

#include "base/base64.h"

struct str
blob_bytes(struct blob *blob, size_t n)
{
	if (blob->failed || n > blob->left.len) {
		blob->failed = true;
		return (struct str){0};
	}
	struct str out = str_sub(blob->left, 0, n);
	blob->left = str_sub(blob->left, n, blob->left.len);
	return out;
}

uint8_t
blob_u8(struct blob *blob)
{
	struct str byte = blob_bytes(blob, 1);
	return blob->failed ? 0 : (uint8_t)byte.data[0];
}

uint32_t
blob_u32(struct blob *blob)
{
	uint32_t value = 0;
	for (int i = 0; i < 4; i++)
		value = value << 8 | blob_u8(blob);
	return value;
}

struct str
blob_string(struct blob *blob)
{
	return blob_bytes(blob, blob_u32(blob));
}

bool
blob_at_end(const struct blob *blob)
{
	return !blob->failed && blob->left.len == 0;
}

void
blob_put_u8(struct strbuf *out, uint8_t value)
{
	strbuf_addc(out, (char)value);
}

void
blob_put_u32(struct strbuf *out, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		strbuf_addc(out, (char)(value >> shift & 0xff));
}

void
blob_put_string(struct strbuf *out, struct str bytes)
{
	blob_put_u32(out, (uint32_t)bytes.len);
	strbuf_add(out, bytes);
}

void
blob_put_number(struct strbuf *out, struct str bytes)
{
	while (bytes.len > 0 && bytes.data[0] == 0)
		bytes = str_sub(bytes, 1, bytes.len);
	/* With its first bit set it would be negative. */
	bool sign = bytes.len > 0 && (bytes.data[0] & 0x80) != 0;
	blob_put_u32(out, (uint32_t)(bytes.len + sign));
	if (sign)
		strbuf_addc(out, 0);
	strbuf_add(out, bytes);
}

struct str
blob_key_type(struct str key)
{
	struct blob blob = { .left = key };
	return blob_string(&blob);
}

struct str
blob_fingerprint(struct arena *arena, struct str key)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct strbuf text = {0};
	SHA2_CTX sha;

	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)key.data, key.len);
	SHA256Final(digest, &sha);
	strbuf_adds(&text, "SHA256:");
	base64_encode(&text,
	    (struct str){ (const char *)digest, sizeof digest }, BASE64_BARE);
	struct str out = arena_str(arena, strbuf_str(&text));
	strbuf_release(&text);
	return out;
}
