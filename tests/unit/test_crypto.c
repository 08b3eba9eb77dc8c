/* test_crypto.c - our signatures are those that openssl takes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/crypto.h"
#include "tests/unit/shell.h"

struct bench {
	struct arena arena;
	const char *directory;
};

static int
setup(void **state)
{
	static struct bench bench;
	bench = (struct bench){0};
	bench.directory = shell_directory(&bench.arena);
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	shell_remove(bench->directory);
	arena_release(&bench->arena);
	return 0;
}

static const char *
path(struct bench *bench, const char *name)
{
	return arena_printf(&bench->arena, "%s/%s", bench->directory,
	    name).data;
}

static struct str
unhex(struct bench *bench, const char *hex)
{
	size_t n = strlen(hex) / 2;
	char *out = arena_alloc(&bench->arena, n);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(hex_digit(hex[2 * i]) << 4 |
		    hex_digit(hex[2 * i + 1]));
	return (struct str){ out, n };
}

/* RFC 8032, 7.1, test 2. */
static void
test_crypto_signs_as_rfc_8032_does(void **state)
{
	struct bench *bench = *state;
	struct str seed = unhex(bench, "4ccd089b28ff96da9db6c346ec114e0f"
	    "5b8a319f35aba624da8cf6ed4fb8a6fb");
	const char *why = NULL;
	struct crypto_key *key = crypto_key_ed25519(
	    (const unsigned char *)seed.data, &why);
	struct str signature;

	assert_non_null(key);
	assert_true(str_eq(crypto_key_public(key, &bench->arena),
	    unhex(bench, "3d4017c3e843895a92b70aa74d1b7ebc"
	    "9c982ccf2ec4968cc0cd55f12af4660c")));
	assert_true(crypto_sign(key, unhex(bench, "72"), &bench->arena,
	    &signature, &why));
	assert_true(str_eq(signature, unhex(bench,
	    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
	    )));
	unsigned char out[32];
	assert_true(crypto_key_seed(key, out));
	assert_memory_equal(out, seed.data, 32);
	crypto_key_free(key);
}

static void
test_crypto_makes_another_key_each_time(void **state)
{
	struct bench *bench = *state;
	const char *why = NULL;
	struct crypto_key *a = crypto_key_make(&why);
	struct crypto_key *b = crypto_key_make(&why);
	assert_non_null(a);
	assert_non_null(b);
	assert_false(str_eq(crypto_key_public(a, &bench->arena),
	    crypto_key_public(b, &bench->arena)));
	crypto_key_free(a);
	crypto_key_free(b);
}

/* Let openssl make a key, sign with it, and let openssl verify. */
static void
check_pem(struct bench *bench, const char *make, const char *digest,
    enum crypto_kind kind)
{
	const char *why = "";
	struct str signature;
	shell_ok(&bench->arena, bench->directory, arena_printf(&bench->arena,
	    "umask 077; %s && openssl pkey -in key -pubout -out pub", make)
	    .data);
	struct crypto_key *key = crypto_key_pem(
	    shell_read(&bench->arena, path(bench, "key")), &why);
	if (key == NULL)
		fail_msg("%s: %s", make, why);
	assert_int_equal(crypto_key_kind(key), kind);
	assert_true(crypto_sign(key, STR("what is signed"), &bench->arena,
	    &signature, &why));
	shell_write(path(bench, "signature"), signature, 0600);
	shell_ok(&bench->arena, bench->directory, arena_printf(&bench->arena,
	    "printf 'what is signed' >data; openssl dgst -%s -verify pub "
	    "-signature signature data", digest).data);
	crypto_key_free(key);
}

static void
test_crypto_signs_with_pem_keys_of_all_forms(void **state)
{
	struct bench *bench = *state;
	check_pem(bench, "openssl genrsa -traditional -out key 2048",
	    "sha256", CRYPTO_RSA);
	check_pem(bench, "openssl genpkey -algorithm RSA -pkeyopt "
	    "rsa_keygen_bits:2048 -out key", "sha256", CRYPTO_RSA);
	check_pem(bench, "openssl ecparam -name prime256v1 -genkey -noout "
	    "-out key", "sha256", CRYPTO_ECDSA_256);
	check_pem(bench, "openssl genpkey -algorithm EC -pkeyopt "
	    "ec_paramgen_curve:P-384 -out key", "sha384", CRYPTO_ECDSA_384);
	check_pem(bench, "openssl genpkey -algorithm EC -pkeyopt "
	    "ec_paramgen_curve:P-521 -out key", "sha512", CRYPTO_ECDSA_521);
}

static void
check_refused(struct bench *bench, const char *make, const char *want)
{
	const char *why = NULL;
	shell_ok(&bench->arena, bench->directory, make);
	struct crypto_key *key = crypto_key_pem(
	    shell_read(&bench->arena, path(bench, "key")), &why);
	assert_null(key);
	assert_string_equal(why, want);
}

static void
test_crypto_refuses_what_is_no_key_without_asking(void **state)
{
	struct bench *bench = *state;
	const char *none = "not a private key in PEM that is not encrypted";
	check_refused(bench, "umask 077; : >key", none);
	check_refused(bench, "echo hello >key", none);
	check_refused(bench, "openssl genpkey -algorithm ED25519 -aes256 "
	    "-pass pass:secret -out key", none);
	check_refused(bench, "openssl genrsa -out key 1024",
	    "the RSA key is shorter than 2048 bits");
	check_refused(bench, "openssl ecparam -name secp256k1 -genkey -noout "
	    "-out key", "an ECDSA key of another curve than P-256, P-384 and "
	    "P-521");
	check_refused(bench, "openssl genpkey -algorithm X25519 -out key",
	    "neither an ed25519, an ECDSA nor an RSA key");
	check_refused(bench, "head -c 70000 /dev/zero >key",
	    "longer than any key");
}

/* RFC 6979, A.2.5: a key of P-256. */
#define X "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
#define POINT "04" \
	"60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6" \
	"7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"

static void
test_crypto_takes_ecdsa_numbers_that_belong_together(void **state)
{
	struct bench *bench = *state;
	const char *why = NULL;
	struct crypto_key *key = crypto_key_ecdsa(CRYPTO_ECDSA_256,
	    unhex(bench, "00" X), unhex(bench, POINT), &why);
	struct str der, r, s;

	assert_non_null(key);
	assert_true(str_eq(crypto_key_public(key, &bench->arena),
	    unhex(bench, POINT)));
	assert_true(crypto_sign(key, STR("sample"), &bench->arena, &der,
	    &why));
	assert_true(crypto_ecdsa_parts(der, &bench->arena, &r, &s));
	assert_true(r.len <= 32 && s.len <= 32 && r.len > 24 && s.len > 24);
	assert_int_not_equal(r.data[0], 0);
	crypto_key_free(key);

	char wrong[] = X;
	wrong[63] = '2';
	assert_null(crypto_key_ecdsa(CRYPTO_ECDSA_256, unhex(bench, wrong),
	    unhex(bench, POINT), &why));
	assert_string_equal(why,
	    "its private and its public half do not belong together");
	assert_null(crypto_key_ecdsa(CRYPTO_ECDSA_384, unhex(bench, X),
	    unhex(bench, POINT), &why));
	assert_string_equal(why, "the key's numbers do not fit its curve");
}

static void
test_crypto_takes_apart_der_and_nothing_else(void **state)
{
	struct bench *bench = *state;
	struct str r, s;
	struct arena *arena = &bench->arena;
	assert_true(crypto_ecdsa_parts(unhex(bench, "3007020200ff02017f"),
	    arena, &r, &s));
	assert_true(str_eq(r, unhex(bench, "ff")));
	assert_true(str_eq(s, unhex(bench, "7f")));
	const char *const wrong[] = {
		"", "30", "3000", "3007020200ff02017f00", "3007020200ff0201",
		"3006020101020180", "3006020100020101", "3006020101040101",
		"3080020101020101", "30820006020101020101",
	};
	for (size_t i = 0; i < COUNTOF(wrong); i++)
		assert_false(crypto_ecdsa_parts(unhex(bench, wrong[i]), arena,
		    &r, &s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crypto_signs_as_rfc_8032_does),
		cmocka_unit_test(test_crypto_makes_another_key_each_time),
		cmocka_unit_test(test_crypto_signs_with_pem_keys_of_all_forms),
		cmocka_unit_test(
		    test_crypto_refuses_what_is_no_key_without_asking),
		cmocka_unit_test(
		    test_crypto_takes_ecdsa_numbers_that_belong_together),
		cmocka_unit_test(test_crypto_takes_apart_der_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
