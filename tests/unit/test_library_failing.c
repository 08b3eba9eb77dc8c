/*
 * test_library_failing.c - libcrypto and libcurl that are not there, lack a
 * function, or fail.
 *
 * Both are loaded by name.  The linker puts functions of ours in the place of
 * dlopen(), dlsym() and getrandom() (see the Makefile), which hand out what a
 * test wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "crypto/crypto.h"
#include "crypto/crypto_dl.h"
#include "io/curl_dl.h"
#include "io/io_world.h"
#include "tests/unit/shell.h"

void *__real_dlopen(const char *name, int flags);
void *__real_dlsym(void *library, const char *name);
ssize_t __real_getrandom(void *out, size_t size, unsigned flags);
void *__wrap_dlopen(const char *name, int flags);
void *__wrap_dlsym(void *library, const char *name);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);

/* ------------------------------------------------------------ the lies ---- */

enum { ASKED_MAX = 64 };

static const char *broken;		/* this function, or library */
static void *instead;			/* NULL: it lacks */
static const char *asked[ASKED_MAX];	/* what was looked for */
static size_t nasked;

void *
__wrap_dlopen(const char *name, int flags)
{
	return broken != NULL && strcmp(name, broken) == 0 ? NULL :
	    __real_dlopen(name, flags);
}

void *
__wrap_dlsym(void *library, const char *name)
{
	if (nasked < ASKED_MAX)
		asked[nasked++] = name;
	return broken != NULL && strcmp(name, broken) == 0 ? instead :
	    __real_dlsym(library, name);
}

/* Called with whatever the real one takes. */
static long
nothing(void)
{
	return 0;
}

static long
failure(void)
{
	return 2;
}

static void *
as_pointer(long (*function)(void))
{
	void *pointer;
	memcpy(&pointer, &function, sizeof pointer);
	return pointer;
}

static void
breaks(const char *name, void *by)
{
	broken = name;
	instead = by;
}

static int
mend(void **state)
{
	(void)state;
	breaks(NULL, NULL);
	return 0;
}

/* ----------------------------------------------------------- libcrypto ---- */

static const unsigned char seed[32] = "a seed that is none of anybody's";

static void
test_crypto_without_a_library_says_what_to_install(void **state)
{
	const char *why = NULL;
	(void)state;

	breaks("libcrypto.so.3", NULL);
	assert_null(crypto_key_ed25519(seed, &why));
	assert_string_equal(why, "cannot load libcrypto.so.3: install the "
	    "package libssl3");
	/* Whoever makes a key, of whatever kind, hears of it. */
	why = NULL;
	assert_null(crypto_key_pem(STR("x"), &why));
	assert_non_null(why);
	why = NULL;
	assert_null(crypto_key_make(&why));
	assert_non_null(why);
}

static void
test_crypto_with_a_library_that_lacks_any_function_says_so(void **state)
{
	struct crypto_dl dl;
	const char *names[ASKED_MAX], *why = NULL;
	(void)state;

	nasked = 0;
	assert_true(crypto_dl_load(&dl, &why));
	size_t n = nasked;
	assert_true(n > 20 && n < ASKED_MAX);
	memcpy(names, asked, sizeof names);
	for (size_t i = 0; i < n; i++) {
		breaks(names[i], NULL);
		why = NULL;
		assert_false(crypto_dl_load(&dl, &why));
		assert_string_equal(why, "libcrypto.so.3 lacks a function "
		    "that podform needs");
	}
}

/* RFC 6979, A.2.5: a key of P-256. */
static const unsigned char scalar[32] = {
	0xc9, 0xaf, 0xa9, 0xd8, 0x45, 0xba, 0x75, 0x16, 0x6b, 0x5c, 0x21, 0x57,
	0x67, 0xb1, 0xd6, 0x93, 0x4e, 0x50, 0xc3, 0xdb, 0x36, 0xe8, 0x9b, 0x12,
	0x7b, 0x8a, 0x62, 0x2b, 0x12, 0x0f, 0x67, 0x21,
};
static const unsigned char point[65] = { 4,
	0x60, 0xfe, 0xd4, 0xba, 0x25, 0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74,
	0xc6, 0x35, 0x6d, 0x68, 0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61, 0xfa, 0x6c,
	0xe6, 0x69, 0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6,
	0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8, 0xbc, 0x99, 0xa4, 0x1a, 0xe9, 0xe9,
	0x56, 0x28, 0xbc, 0x64, 0xf2, 0xf1, 0xb2, 0x0c, 0x2d, 0x7e, 0x9f, 0x51,
	0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22, 0x99,
};

enum kind { ED25519, ECDSA, RSA_PEM, EC_PEM };	/* the last two from PEM */

static struct str
pem(struct arena *arena, enum kind kind)
{
	static const char *const make[] = {
		[RSA_PEM] = "openssl genrsa 2048 2>/dev/null",
		[EC_PEM] = "openssl ecparam -name prime256v1 -genkey -noout",
	};
	static struct str made[EC_PEM + 1];
	const char *directory;

	if (made[kind].len > 0)
		return made[kind];
	directory = shell_directory(arena);
	made[kind] = shell_ok(arena, directory, make[kind]);
	shell_remove(directory);
	return made[kind];
}

static struct crypto_key *
make(struct arena *arena, enum kind kind, const char **why)
{
	switch (kind) {
	case ED25519:
		return crypto_key_ed25519(seed, why);
	case ECDSA:
		return crypto_key_ecdsa(CRYPTO_ECDSA_256,
		    (struct str){ (const char *)scalar, sizeof scalar },
		    (struct str){ (const char *)point, sizeof point }, why);
	default:
		return crypto_key_pem(pem(arena, kind), why);
	}
}

static void
test_crypto_makes_no_key_when_libcrypto_fails(void **state)
{
	static const struct {
		const char *function;
		enum kind kind;
		const char *why;
	} cases[] = {
		{ "EVP_PKEY_new_raw_private_key", ED25519,
		  "libcrypto takes no ed25519 keys" },
		{ "BIO_new_mem_buf", RSA_PEM,
		  "not a private key in PEM that is not encrypted" },
		{ "PEM_read_bio_PrivateKey", EC_PEM,
		  "not a private key in PEM that is not encrypted" },
		{ "EVP_PKEY_is_a", RSA_PEM,
		  "neither an ed25519, an ECDSA nor an RSA key" },
		{ "EVP_PKEY_get_group_name", EC_PEM,
		  "neither an ed25519, an ECDSA nor an RSA key" },
		{ "EVP_PKEY_get_bits", RSA_PEM,
		  "the RSA key is shorter than 2048 bits" },
		{ "EVP_PKEY_CTX_new_from_name", ECDSA,
		  "the key's numbers do not fit its curve" },
		{ "EVP_PKEY_fromdata_init", ECDSA,
		  "the key's numbers do not fit its curve" },
		{ "EVP_PKEY_fromdata", ECDSA,
		  "the key's numbers do not fit its curve" },
		{ "EVP_PKEY_CTX_new_from_pkey", ECDSA,
		  "its private and its public half do not belong together" },
		{ "EVP_PKEY_pairwise_check", ECDSA,
		  "its private and its public half do not belong together" },
	};
	struct arena *arena = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const char *why = NULL;
		struct crypto_key *key = make(arena, cases[i].kind, &why);
		assert_non_null(key);
		crypto_key_free(key);
		breaks(cases[i].function, as_pointer(nothing));
		assert_null(make(arena, cases[i].kind, &why));
		if (why == NULL || strcmp(why, cases[i].why) != 0)
			fail_msg("%s: %s", cases[i].function, why);
		mend(NULL);
	}
}

/* Of a key that is whole, nothing comes when libcrypto fails later. */
static void
test_crypto_gives_nothing_when_libcrypto_fails(void **state)
{
	static const struct {
		const char *function;
		enum kind kind;
		bool public, secret, signs;	/* what is still there */
	} cases[] = {
		{ NULL, ED25519, true, true, true },
		{ NULL, ECDSA, true, false, true },
		{ NULL, RSA_PEM, false, false, true },
		{ "EVP_PKEY_get_raw_public_key", ED25519, false, true, true },
		{ "EVP_PKEY_get_raw_private_key", ED25519, true, false,
		  true },
		{ "EVP_PKEY_get_bn_param", ECDSA, false, false, true },
		{ "BN_bn2binpad", ECDSA, false, false, true },
		{ "EVP_DigestSignInit_ex", RSA_PEM, false, false, false },
		{ "EVP_DigestSign", ED25519, true, true, false },
	};
	struct arena *arena = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const char *why = NULL;
		unsigned char out[32];
		struct str signature = {0};
		breaks(cases[i].function, as_pointer(nothing));
		struct crypto_key *key = make(arena, cases[i].kind, &why);
		assert_non_null(key);
		assert_int_equal(crypto_key_public(key, arena).len > 0,
		    cases[i].public);
		assert_int_equal(crypto_key_seed(key, out), cases[i].secret);
		assert_int_equal(crypto_sign(key, STR("x"), arena, &signature,
		    &why), cases[i].signs);
		assert_int_equal(signature.len > 0, cases[i].signs);
		if (!cases[i].signs)
			assert_string_equal(why,
			    "libcrypto cannot sign with this key");
		crypto_key_free(key);
		mend(NULL);
	}
}

/* Tells how long the signature will be, and then cannot make it. */
static int
only_measures(EVP_MD_CTX *ctx, unsigned char *out, size_t *size,
    const unsigned char *data, size_t n)
{
	(void)ctx;
	(void)data;
	(void)n;
	*size = 64;
	return out == NULL;
}

/* Keys of another size than these keys have. */
static int
short_key(const EVP_PKEY *key, unsigned char *out, size_t *size)
{
	(void)key;
	(void)out;
	*size = 31;
	return 1;
}

static void
test_crypto_believes_no_odd_sizes(void **state)
{
	struct arena *arena = *state;
	int (*sign)(EVP_MD_CTX *, unsigned char *, size_t *,
	    const unsigned char *, size_t) = only_measures;
	int (*get)(const EVP_PKEY *, unsigned char *, size_t *) = short_key;
	const char *why = NULL;
	struct str signature = {0};
	struct crypto_key *key;
	unsigned char out[32];
	void *by;

	memcpy(&by, &sign, sizeof by);
	breaks("EVP_DigestSign", by);
	key = make(arena, ED25519, &why);
	assert_false(crypto_sign(key, STR("x"), arena, &signature, &why));
	assert_int_equal(signature.len, 0);
	crypto_key_free(key);

	memcpy(&by, &get, sizeof by);
	breaks("EVP_PKEY_get_raw_public_key", by);
	key = make(arena, ED25519, &why);
	assert_int_equal(crypto_key_public(key, arena).len, 0);
	crypto_key_free(key);
	breaks("EVP_PKEY_get_raw_private_key", by);
	key = make(arena, ED25519, &why);
	assert_false(crypto_key_seed(key, out));
	crypto_key_free(key);
}

/* -------------------------------------------------------------- chance ---- */

static ssize_t chance_gives;		/* 0: the real thing */
static int interruptions;

ssize_t
__wrap_getrandom(void *out, size_t size, unsigned flags)
{
	if (interruptions > 0) {
		interruptions--;
		errno = EINTR;
		return -1;
	}
	if (chance_gives != 0) {
		errno = ENOSYS;
		return chance_gives;
	}
	return __real_getrandom(out, size, flags);
}

static void
test_crypto_makes_no_key_without_chance(void **state)
{
	static const ssize_t gives[] = { -1, 31, 1 };
	const char *why = NULL;
	(void)state;

	for (size_t i = 0; i < COUNTOF(gives); i++) {
		chance_gives = gives[i];
		assert_null(crypto_key_make(&why));
		assert_string_equal(why, "the system gives no random numbers");
	}
	chance_gives = 0;
	interruptions = 2;
	struct crypto_key *key = crypto_key_make(&why);
	assert_non_null(key);
	assert_int_equal(interruptions, 0);
	crypto_key_free(key);
}

/* ------------------------------------------------------------- libcurl ---- */

/* Ask for something where nothing is: what is said of it. */
static struct world_event
ask(struct arena *arena)
{
	struct io_config config = { .cloud_url = STR("http://127.0.0.1:1") };
	struct io_world *io = io_world_new(&config);
	struct world *world = io_world_seam(io);
	struct http_request request = {
		.method = HTTP_POST, .path = STR("/pods"), .effect = true,
		.body = STR("{}"), .timeout_ms = 5000,
	};
	struct world_event event;

	world->start_http(world->ctx, 7, &request);
	world->wait(world->ctx, arena, world->clock.mono_ms(
	    world->clock.ctx) + 5000, &event);
	io_world_free(io);
	return event;
}

static void
test_curl_that_fails_sends_nothing_and_says_so(void **state)
{
	static const char starts[] = "libcurl does not start";
	static const char refuses[] = "libcurl refuses the request";
	static const struct {
		const char *name;
		bool lacks;
		long (*by)(void);
		const char *why;
	} cases[] = {
		{ NULL, false, NULL, "Couldn't connect to server" },
		{ "libcurl.so.4", true, NULL, "cannot load libcurl.so.4: "
		  "install the package libcurl4" },
		{ "curl_multi_init", true, NULL, "libcurl.so.4 lacks a "
		  "function that podform needs: version 7.85 or later is "
		  "needed" },
		{ "curl_global_init_mem", false, failure, starts },
		{ "curl_share_init", false, nothing, starts },
		{ "curl_multi_init", false, nothing, starts },
		{ "curl_multi_setopt", false, failure, starts },
		{ "curl_easy_init", false, nothing, refuses },
		{ "curl_easy_setopt", false, failure, refuses },
		{ "curl_multi_add_handle", false, failure, refuses },
	};
	struct arena *arena = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		breaks(cases[i].name, cases[i].lacks ? NULL : as_pointer(
		    cases[i].by != NULL ? cases[i].by : nothing));
		struct world_event event = ask(arena);
		assert_int_equal(event.type, WORLD_HTTP);
		assert_int_equal(event.token, 7);
		assert_int_equal(event.http.outcome, HTTP_NOT_SENT);
		if (str_search(event.http.reason, str_from(cases[i].why)) < 0)
			fail_msg("%s: %.*s", cases[i].name,
			    (int)event.http.reason.len,
			    event.http.reason.data);
		mend(NULL);
	}
}

static void
test_curl_that_lacks_any_function_is_not_used(void **state)
{
	struct curl_dl curl;
	const char *names[ASKED_MAX], *why = NULL;
	(void)state;

	nasked = 0;
	assert_true(curl_dl_load(&curl, &why));
	curl_dl_release(&curl);
	size_t n = nasked;
	assert_true(n > 15 && n < ASKED_MAX);
	memcpy(names, asked, sizeof names);
	for (size_t i = 0; i < n; i++) {
		breaks(names[i], NULL);
		why = NULL;
		assert_false(curl_dl_load(&curl, &why));
		assert_non_null(why);
		/* What was never started is not ended. */
		curl_dl_release(&curl);
	}
}

/* ---------------------------------------------------------------- main ---- */

static int
setup(void **state)
{
	static struct arena arena;
	*state = &arena;
	return 0;
}

static int
teardown(void **state)
{
	arena_release(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, mend)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_crypto_without_a_library_says_what_to_install),
		TEST(test_crypto_with_a_library_that_lacks_any_function_says_so),
		TEST(test_crypto_makes_no_key_when_libcrypto_fails),
		TEST(test_crypto_gives_nothing_when_libcrypto_fails),
		TEST(test_crypto_believes_no_odd_sizes),
		TEST(test_crypto_makes_no_key_without_chance),
		TEST(test_curl_that_fails_sends_nothing_and_says_so),
		TEST(test_curl_that_lacks_any_function_is_not_used),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
