/* crypto.c - see crypto.h */
#include "crypto/crypto.h"

#include <assert.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/crypto_dl.h"

enum {
	PEM_BYTES_MAX = 64 << 10,
	COORDINATE_MAX = 66,		/* bytes, of P-521 */
	RSA_BITS_MIN = 2048,
};

struct crypto_key {
	struct crypto_dl dl;
	enum crypto_kind kind;
	EVP_PKEY *pkey;
};

/* The curves, as RFC 5656 and libcrypto call them. */
static const struct curve {
	const char *group, *digest;
	size_t bytes;			/* of a coordinate */
} curves[] = {
	[CRYPTO_ECDSA_256] = { "prime256v1", "SHA256", 32 },
	[CRYPTO_ECDSA_384] = { "secp384r1", "SHA384", 48 },
	[CRYPTO_ECDSA_521] = { "secp521r1", "SHA512", 66 },
};

static const struct curve *
curve_of(enum crypto_kind kind)
{
	assert(kind >= CRYPTO_ECDSA_256 && kind <= CRYPTO_ECDSA_521);
	return &curves[kind];
}

/* ------------------------------------------------------------- making ---- */

static struct crypto_key *
key_new(const char **why)
{
	struct crypto_key *key = calloc(1, sizeof *key);
	if (key == NULL)
		fail_out_of_memory();
	if (crypto_dl_load(&key->dl, why))
		return key;
	free(key);
	return NULL;
}

void
crypto_key_free(struct crypto_key *key)
{
	if (key == NULL)
		return;
	if (key->pkey != NULL)
		key->dl.key_free(key->pkey);
	free(key);
}

/* Without its EVP_PKEY a key is none. */
static struct crypto_key *
checked(struct crypto_key *key, const char *reason, const char **why)
{
	if (key->pkey != NULL)
		return key;
	key->dl.clear_errors();
	crypto_key_free(key);
	*why = reason;
	return NULL;
}

struct crypto_key *
crypto_key_ed25519(const unsigned char seed[32], const char **why)
{
	struct crypto_key *key = key_new(why);
	if (key == NULL)
		return NULL;
	key->kind = CRYPTO_ED25519;
	key->pkey = key->dl.raw_private(EVP_PKEY_ED25519, NULL, seed, 32);
	return checked(key, "libcrypto takes no ed25519 keys", why);
}

struct crypto_key *
crypto_key_make(const char **why)
{
	unsigned char seed[32];
	struct crypto_key *key = NULL;
	ssize_t got;

	/* Up to 256 bytes come whole; before the first entropy of the
	 * machine it waits, and a signal may end that. */
	do
		got = getrandom(seed, sizeof seed, 0);
	while (got < 0 && errno == EINTR);
	if (got == (ssize_t)sizeof seed)
		key = crypto_key_ed25519(seed, why);
	else
		*why = "the system gives no random numbers";
	explicit_bzero(seed, sizeof seed);
	return key;
}

/* Without this libcrypto would ask for a passphrase on the terminal. */
static int
no_passphrase(char *buffer, int size, int writing, void *ctx)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)ctx;
	return 0;
}

/* What kind the key is; false if it is none of ours. */
static bool
find_kind(struct crypto_key *key, const char **why)
{
	char group[32];
	size_t n;

	if (key->dl.is_a(key->pkey, "ED25519")) {
		key->kind = CRYPTO_ED25519;
		return true;
	}
	if (key->dl.is_a(key->pkey, "RSA")) {
		key->kind = CRYPTO_RSA;
		*why = "the RSA key is shorter than 2048 bits";
		return key->dl.bits(key->pkey) >= RSA_BITS_MIN;
	}
	*why = "neither an ed25519, an ECDSA nor an RSA key";
	if (!key->dl.is_a(key->pkey, "EC") ||
	    !key->dl.get_group(key->pkey, group, sizeof group, &n))
		return false;
	for (size_t i = CRYPTO_ECDSA_256; i <= CRYPTO_ECDSA_521; i++)
		if (strcmp(group, curves[i].group) == 0) {
			key->kind = (enum crypto_kind)i;
			return true;
		}
	*why = "an ECDSA key of another curve than P-256, P-384 and P-521";
	return false;
}

struct crypto_key *
crypto_key_pem(struct str pem, const char **why)
{
	struct crypto_key *key;
	BIO *bio;

	if (pem.len > PEM_BYTES_MAX) {
		*why = "longer than any key";
		return NULL;
	}
	if ((key = key_new(why)) == NULL)
		return NULL;
	bio = key->dl.bio_mem(pem.data, (int)pem.len);
	if (bio != NULL) {
		key->pkey = key->dl.pem_private(bio, NULL, no_passphrase,
		    NULL);
		key->dl.bio_free(bio);
	}
	key = checked(key, "not a private key in PEM that is not encrypted",
	    why);
	if (key != NULL && !find_kind(key, why)) {
		crypto_key_free(key);
		key = NULL;
	}
	return key;
}

/* Does the private scalar belong to the public point? */
static bool
is_pair(const struct crypto_key *key)
{
	EVP_PKEY_CTX *ctx = key->dl.ctx_key(NULL, key->pkey, NULL);
	bool ok = ctx != NULL && key->dl.pair_check(ctx) == 1;
	key->dl.ctx_free(ctx);
	return ok;
}

struct crypto_key *
crypto_key_ecdsa(enum crypto_kind kind, struct str scalar, struct str point,
    const char **why)
{
	const struct curve *curve = curve_of(kind);
	unsigned char number[COORDINATE_MAX];
	struct crypto_key *key = NULL;
	EVP_PKEY_CTX *ctx = NULL;

	while (scalar.len > 0 && scalar.data[0] == 0)
		scalar = str_sub(scalar, 1, scalar.len);
	if (scalar.len == 0 || scalar.len > curve->bytes ||
	    point.len != 1 + 2 * curve->bytes || point.data[0] != 4) {
		*why = "the key's numbers do not fit its curve";
		return NULL;
	}
	if ((key = key_new(why)) == NULL)
		return NULL;
	/* libcrypto wants numbers in the machine's own order. */
	for (size_t i = 0; i < scalar.len; i++) {
		size_t to = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ?
		    scalar.len - 1 - i : i;
		number[to] = (unsigned char)scalar.data[i];
	}
	OSSL_PARAM params[] = {
		{ OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_UTF8_STRING,
		  (void *)(uintptr_t)curve->group, strlen(curve->group), 0 },
		{ OSSL_PKEY_PARAM_PUB_KEY, OSSL_PARAM_OCTET_STRING,
		  (void *)(uintptr_t)point.data, point.len, 0 },
		{ OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PARAM_UNSIGNED_INTEGER,
		  number, scalar.len, 0 },
		{ NULL, 0, NULL, 0, 0 },
	};
	key->kind = kind;
	ctx = key->dl.ctx_name(NULL, "EC", NULL);
	if (ctx == NULL || key->dl.from_init(ctx) != 1 ||
	    key->dl.from_data(ctx, &key->pkey, EVP_PKEY_KEYPAIR, params) != 1)
		key->pkey = NULL;
	key->dl.ctx_free(ctx);
	explicit_bzero(number, sizeof number);
	key = checked(key, "the key's numbers do not fit its curve", why);
	if (key != NULL && !is_pair(key)) {
		*why = "its private and its public half do not belong together";
		crypto_key_free(key);
		key = NULL;
	}
	return key;
}

/* ------------------------------------------------------------ reading ---- */

enum crypto_kind
crypto_key_kind(const struct crypto_key *key)
{
	return key->kind;
}

static bool
coordinate(const struct crypto_key *key, const char *name, char *out,
    size_t n)
{
	BIGNUM *number = NULL;
	bool ok = key->dl.get_number(key->pkey, name, &number) == 1 &&
	    key->dl.number_bytes(number, (unsigned char *)out, (int)n) ==
	    (int)n;
	key->dl.number_free(number);
	return ok;
}

struct str
crypto_key_public(const struct crypto_key *key, struct arena *arena)
{
	if (key->kind == CRYPTO_RSA)
		return (struct str){0};
	if (key->kind == CRYPTO_ED25519) {
		size_t n = 32;
		char *bytes = arena_alloc(arena, n);
		bool ok = key->dl.get_raw_public(key->pkey,
		    (unsigned char *)bytes, &n) == 1 && n == 32;
		return ok ? (struct str){ bytes, n } : (struct str){0};
	}
	size_t n = curve_of(key->kind)->bytes;
	char *bytes = arena_alloc(arena, 1 + 2 * n);
	bytes[0] = 4;
	if (!coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes + 1, n) ||
	    !coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes + 1 + n, n))
		return (struct str){0};
	return (struct str){ bytes, 1 + 2 * n };
}

bool
crypto_key_seed(const struct crypto_key *key, unsigned char seed[32])
{
	size_t n = 32;
	return key->kind == CRYPTO_ED25519 &&
	    key->dl.get_raw_private(key->pkey, seed, &n) == 1 && n == 32;
}

/* ------------------------------------------------------------ signing ---- */

static const char *
digest_of(enum crypto_kind kind)
{
	switch (kind) {
	case CRYPTO_ED25519:
		return NULL;		/* its own, within */
	case CRYPTO_RSA:
		return "SHA256";
	default:
		return curve_of(kind)->digest;
	}
}

bool
crypto_sign(const struct crypto_key *key, struct str data,
    struct arena *arena, struct str *signature, const char **why)
{
	const struct crypto_dl *dl = &key->dl;
	EVP_MD_CTX *ctx = dl->md_new();
	const unsigned char *bytes = (const unsigned char *)data.data;
	bool ok = false;
	size_t n = 0;

	*why = "libcrypto cannot sign with this key";
	if (ctx == NULL)
		fail_out_of_memory();
	if (dl->sign_init(ctx, NULL, digest_of(key->kind), NULL, NULL,
		key->pkey, NULL) != 1 ||
	    dl->sign(ctx, NULL, &n, bytes, data.len) != 1)
		goto out;
	char *out = arena_alloc(arena, n);
	if (dl->sign(ctx, (unsigned char *)out, &n, bytes, data.len) != 1)
		goto out;
	*signature = (struct str){ out, n };
	ok = true;
out:
	if (!ok)
		dl->clear_errors();
	dl->md_free(ctx);
	return ok;
}

/* Take a DER element with this tag off the front of *der. */
static bool
der_take(struct str *der, unsigned char tag, struct str *out)
{
	if (der->len < 2 || (unsigned char)der->data[0] != tag)
		return false;
	size_t head = 2, n = (unsigned char)der->data[1];
	if (n == 0x81 && der->len > 2) {
		head = 3;
		n = (unsigned char)der->data[2];
	} else if (n >= 0x80)
		return false;
	if (der->len - head < n)
		return false;
	*out = str_sub(*der, head, n);
	*der = str_sub(*der, head + n, der->len);
	return true;
}

/* A positive INTEGER, without leading zeros. */
static bool
der_number(struct str *der, struct arena *arena, struct str *out)
{
	struct str number;
	if (!der_take(der, 0x02, &number) || number.len == 0 ||
	    (number.data[0] & 0x80) != 0)
		return false;
	while (number.len > 0 && number.data[0] == 0)
		number = str_sub(number, 1, number.len);
	*out = arena_str(arena, number);
	return number.len > 0;
}

bool
crypto_ecdsa_parts(struct str der, struct arena *arena, struct str *r,
    struct str *s)
{
	struct str body;
	return der_take(&der, 0x30, &body) && der.len == 0 &&
	    der_number(&body, arena, r) && der_number(&body, arena, s) &&
	    body.len == 0;
}
