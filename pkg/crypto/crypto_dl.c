/* crypto_dl.c - see crypto_dl.h */
#include "crypto/crypto_dl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"

#define SYMBOL(member, name) { name, offsetof(struct crypto_dl, member) }

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	SYMBOL(bio_mem, "BIO_new_mem_buf"),
	SYMBOL(bio_free, "BIO_free"),
	SYMBOL(pem_private, "PEM_read_bio_PrivateKey"),
	SYMBOL(raw_private, "EVP_PKEY_new_raw_private_key"),
	SYMBOL(get_raw_private, "EVP_PKEY_get_raw_private_key"),
	SYMBOL(get_raw_public, "EVP_PKEY_get_raw_public_key"),
	SYMBOL(get_group, "EVP_PKEY_get_group_name"),
	SYMBOL(get_number, "EVP_PKEY_get_bn_param"),
	SYMBOL(number_bytes, "BN_bn2binpad"),
	SYMBOL(number_free, "BN_clear_free"),
	SYMBOL(is_a, "EVP_PKEY_is_a"),
	SYMBOL(bits, "EVP_PKEY_get_bits"),
	SYMBOL(key_free, "EVP_PKEY_free"),
	SYMBOL(ctx_name, "EVP_PKEY_CTX_new_from_name"),
	SYMBOL(ctx_key, "EVP_PKEY_CTX_new_from_pkey"),
	SYMBOL(ctx_free, "EVP_PKEY_CTX_free"),
	SYMBOL(from_init, "EVP_PKEY_fromdata_init"),
	SYMBOL(from_data, "EVP_PKEY_fromdata"),
	SYMBOL(pair_check, "EVP_PKEY_pairwise_check"),
	SYMBOL(md_new, "EVP_MD_CTX_new"),
	SYMBOL(md_free, "EVP_MD_CTX_free"),
	SYMBOL(sign_init, "EVP_DigestSignInit_ex"),
	SYMBOL(sign, "EVP_DigestSign"),
	SYMBOL(clear_errors, "ERR_clear_error"),
};

bool
crypto_dl_load(struct crypto_dl *dl, const char **why)
{
	*dl = (struct crypto_dl){0};
	dl->library = dlopen("libcrypto.so.3", RTLD_LAZY | RTLD_LOCAL);
	if (dl->library == NULL) {
		*why = "cannot load libcrypto.so.3: install the package "
		       "libssl3";
		return false;
	}
	for (size_t i = 0; i < COUNTOF(symbols); i++) {
		void *symbol = dlsym(dl->library, symbols[i].name);
		if (symbol == NULL) {
			*why = "libcrypto.so.3 lacks a function that podform "
			       "needs";
			return false;
		}
		/* As bytes: ISO C has no cast to a function pointer. */
		memcpy((char *)dl + symbols[i].offset, &symbol,
		    sizeof symbol);
	}
	return true;
}
