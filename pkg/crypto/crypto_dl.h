/*
 * crypto_dl.h - the functions of libcrypto that we use; private to
 * pkg/crypto.
 *
 * Every key has a table of its own, so that no variable outlives a function;
 * looking up thirty names costs microseconds, and the library itself is
 * mapped once and stays.
 */
#ifndef CRYPTO_CRYPTO_DL_H
#define CRYPTO_CRYPTO_DL_H

#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <stdbool.h>

struct crypto_dl {
	void *library;
	BIO *(*bio_mem)(const void *bytes, int n);
	int (*bio_free)(BIO *bio);
	EVP_PKEY *(*pem_private)(BIO *bio, EVP_PKEY **key,
	    pem_password_cb *ask, void *ctx);
	EVP_PKEY *(*raw_private)(int type, ENGINE *engine,
	    const unsigned char *bytes, size_t n);
	int (*get_raw_private)(const EVP_PKEY *key, unsigned char *out,
	    size_t *n);
	int (*get_raw_public)(const EVP_PKEY *key, unsigned char *out,
	    size_t *n);
	int (*get_group)(const EVP_PKEY *key, char *out, size_t size,
	    size_t *n);
	int (*get_number)(const EVP_PKEY *key, const char *name,
	    BIGNUM **out);
	int (*number_bytes)(const BIGNUM *number, unsigned char *out, int n);
	void (*number_free)(BIGNUM *number);
	int (*is_a)(const EVP_PKEY *key, const char *name);
	int (*bits)(const EVP_PKEY *key);
	void (*key_free)(EVP_PKEY *key);
	EVP_PKEY_CTX *(*ctx_name)(OSSL_LIB_CTX *library, const char *name,
	    const char *properties);
	EVP_PKEY_CTX *(*ctx_key)(OSSL_LIB_CTX *library, EVP_PKEY *key,
	    const char *properties);
	void (*ctx_free)(EVP_PKEY_CTX *ctx);
	int (*from_init)(EVP_PKEY_CTX *ctx);
	int (*from_data)(EVP_PKEY_CTX *ctx, EVP_PKEY **key, int selection,
	    OSSL_PARAM *params);
	int (*pair_check)(EVP_PKEY_CTX *ctx);
	EVP_MD_CTX *(*md_new)(void);
	void (*md_free)(EVP_MD_CTX *ctx);
	int (*sign_init)(EVP_MD_CTX *ctx, EVP_PKEY_CTX **key_ctx,
	    const char *digest, OSSL_LIB_CTX *library, const char *properties,
	    EVP_PKEY *key, const OSSL_PARAM *params);
	int (*sign)(EVP_MD_CTX *ctx, unsigned char *out, size_t *n,
	    const unsigned char *data, size_t ndata);
	void (*clear_errors)(void);
};

/* False with a sentence (static text) in *why. */
bool crypto_dl_load(struct crypto_dl *dl, const char **why);

#endif
