/*
 * blob.h - the binary encoding of SSH (RFC 4251, section 5).
 *
 * A reader remembers its first failure: read freely and check once, at the
 * end, together with blob_at_end().
 */
#ifndef SSH_BLOB_H
#define SSH_BLOB_H

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"

struct blob {
	struct str left;
	bool failed;
};

uint8_t blob_u8(struct blob *blob);
uint32_t blob_u32(struct blob *blob);
struct str blob_string(struct blob *blob);	/* borrows */
struct str blob_bytes(struct blob *blob, size_t n);
bool blob_at_end(const struct blob *blob);	/* and nothing failed */

void blob_put_u8(struct strbuf *out, uint8_t value);
void blob_put_u32(struct strbuf *out, uint32_t value);
void blob_put_string(struct strbuf *out, struct str bytes);
/* A positive number, big endian. */
void blob_put_number(struct strbuf *out, struct str bytes);

/* "ssh-ed25519" of a public key's blob; absent if it has none. */
struct str blob_key_type(struct str key);
/* "SHA256:..." of a key blob, as OpenSSH prints it; 43 letters follow. */
struct str blob_fingerprint(struct arena *arena, struct str key);

#endif
