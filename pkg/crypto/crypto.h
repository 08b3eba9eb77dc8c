/*
 * crypto.h - the few things that libcrypto does for us.
 *
 * An edge.  libcrypto.so.3 is loaded by the first call (dlopen), since most
 * commands need none of it and loading costs more than they do.  No key ever
 * leaves a struct crypto_key but as a signature; all of it is wiped when
 * freed.
 *
 * All functions that can fail say why in *why (static text, never a part of
 * the input) and return NULL or false.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/arena.h"
#include "base/str.h"

struct crypto_key;

enum crypto_kind {
	CRYPTO_ED25519, CRYPTO_ECDSA_256, CRYPTO_ECDSA_384, CRYPTO_ECDSA_521,
	CRYPTO_RSA,
};

/* A new ed25519 key. */
struct crypto_key *crypto_key_make(const char **why);
/* From its 32 byte seed. */
struct crypto_key *crypto_key_ed25519(const unsigned char seed[32],
    const char **why);
/* From a PEM text (PKCS#1, SEC1, PKCS#8), not encrypted. */
struct crypto_key *crypto_key_pem(struct str pem, const char **why);
/* From the curve's private scalar, big endian, and its public point (0x04,
 * x, y). */
struct crypto_key *crypto_key_ecdsa(enum crypto_kind kind, struct str scalar,
    struct str point, const char **why);
void crypto_key_free(struct crypto_key *key);	/* NULL is harmless */

enum crypto_kind crypto_key_kind(const struct crypto_key *key);
/* Ed25519: the 32 bytes; ECDSA: the point; RSA: absent.  In the arena. */
struct str crypto_key_public(const struct crypto_key *key,
    struct arena *arena);
/* Ed25519: the seed, for writing a new key to its file; wipe it. */
bool crypto_key_seed(const struct crypto_key *key, unsigned char seed[32]);

/*
 * Sign.  Ed25519: 64 bytes.  ECDSA: DER of r and s over the curve's SHA-2,
 * for which crypto_ecdsa_parts() takes r and s apart.  RSA: PKCS#1 v1.5 with
 * SHA-256 (RS256 of JWTs).
 */
bool crypto_sign(const struct crypto_key *key, struct str data,
    struct arena *arena, struct str *signature, const char **why);
/* r and s as unsigned big-endian numbers without leading zeros. */
bool crypto_ecdsa_parts(struct str der, struct arena *arena, struct str *r,
    struct str *s);

#endif
