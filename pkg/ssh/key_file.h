/*
 * key_file.h - what is in a file that is said to hold a private key.
 *
 * Pure: bytes in, a key or a reason out.  OpenSSH's own format is parsed
 * here, strictly; PEM is left to libcrypto.  No reason contains a byte of
 * the file.
 */
#ifndef SSH_KEY_FILE_H
#define SSH_KEY_FILE_H

#include "base/arena.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "crypto/crypto.h"

enum key_file_verdict {
	KEY_FILE_GOOD,
	KEY_FILE_ENCRYPTED,	/* a passphrase is needed */
	KEY_FILE_BAD,
};

struct key_file {
	enum key_file_verdict verdict;
	struct crypto_key *key;		/* owned by the caller; or NULL */
	/* Public key blob; of an encrypted file where it can be read, which
	 * is so in OpenSSH's format and not in PEM. */
	struct str blob;
	const char *why;	/* bad: reads after "'id_rsa' ": "is empty" */
	const char *hint;	/* bad: the way out, or NULL */
};

/* Strs are in the arena. */
void key_file_read(struct arena *arena, struct str bytes,
    struct key_file *out);

/* Text of a new file of an ed25519 key, in OpenSSH's format, unencrypted;
 * false with a reason.  The text is appended: wipe it. */
bool key_file_write(const struct crypto_key *key, struct str comment,
    uint32_t check, struct strbuf *out, const char **why);

/* Public key blob of a key (not of RSA); absent if there is none. */
struct str key_file_blob(struct arena *arena, const struct crypto_key *key);
/* "ssh-ed25519 AAAA... comment\n" */
void key_file_public_line(struct strbuf *out, struct str blob,
    struct str comment);
/* The blob of such a line, if it is one: of authorized_keys, without
 * options.  *comment may be absent. */
bool key_file_parse_line(struct arena *arena, struct str line,
    struct str *blob, struct str *comment);

/* Sign for SSH: signature blob of RFC 4253, 6.6, in the arena. */
bool key_file_sign(struct arena *arena, const struct crypto_key *key,
    struct str data, struct str *out, const char **why);

#endif
