/* test_secret.c - secrets are found in every spelling, and nothing else is */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/arena.h"
#include "base/secret.h"
#include "base/strbuf.h"

/* Redact text with the secrets given (NULL ends them) and compare. */
#define assert_redacted(text, want, ...)                                    \
	check_redacted((text), (want), (const char *const[]){ __VA_ARGS__,  \
				      NULL })

static void
check_redacted(const char *text, const char *want,
    const char *const *secrets)
{
	struct redactor *redactor = redactor_new();
	struct strbuf out = {0};
	for (; *secrets != NULL; secrets++)
		redactor_add(redactor, str_from(*secrets));
	redact(redactor, &out, str_from(text));
	assert_string_equal(strbuf_str(&out).data, want);
	strbuf_release(&out);
	redactor_free(redactor);
}

static void
test_secret_keeps_a_copy_and_forgets_it(void **state)
{
	(void)state;
	char value[] = "rpa_12345";
	struct secret secret = secret_new(str_from(value));
	memset(value, 'x', sizeof value - 1);
	assert_true(secret_is_set(&secret));
	assert_true(str_is(secret_reveal(&secret), "rpa_12345"));
	secret_release(&secret);
	assert_false(secret_is_set(&secret));
	assert_null(secret_reveal(&secret).data);
	secret_release(&secret);
}

static void
test_secret_empty_is_set_and_absent_is_not(void **state)
{
	(void)state;
	struct secret empty = secret_new(STR(""));
	struct secret absent = secret_new((struct str){0});
	assert_true(secret_is_set(&empty));
	assert_false(secret_is_set(&absent));
	secret_release(&empty);
	secret_release(&absent);
}

static void
test_redact_finds_plain_values(void **state)
{
	(void)state;
	assert_redacted("key=hunter22, again hunter22.",
	    "key=(secret), again (secret).", "hunter22");
	assert_redacted("hunter22", "(secret)", "hunter22");
	assert_redacted("hunter2", "hunter2", "hunter22");
	assert_redacted("nothing here", "nothing here", "hunter22");
	assert_redacted("", "", "hunter22");
}

static void
test_redact_ignores_short_values(void **state)
{
	(void)state;
	assert_redacted("yes, 12345", "yes, 12345", "yes", "12345", "");
}

static void
test_redact_finds_json_escapes(void **state)
{
	(void)state;
	assert_redacted("{\"k\":\"a\\\"b\\\\c\\nd\\te\"}",
	    "{\"k\":\"(secret)\"}",
	    "a\"b\\c\nd\te");
	assert_redacted("x a\\/b\\/c\\/d x", "x (secret) x", "a/b/c/d");
	assert_redacted("x \\u0061\\u0026bcdef x", "x (secret) x", "a&bcdef");
	assert_redacted("caf\\u00e9-\\ud83d\\ude00-\\u20AC1", "(secret)",
	    "caf\xc3\xa9-\xf0\x9f\x98\x80-\xe2\x82\xac" "1");
	assert_redacted("x a\\x1bbcdef x", "x (secret) x", "a\x1b" "bcdef");
	/* Not escapes: they stand for themselves. */
	assert_redacted("a\\qbcdef a\\u12", "(secret) a\\u12", "a\\qbcdef");
	assert_redacted("abcde\\", "(secret)", "abcde\\");
	assert_redacted("abcdef\\ud800\\u0041", "abcdef\\ud800\\u0041",
	    "abcdefA");
	assert_redacted("a\\xzz\\x4 abcdef", "(secret) abcdef",
	    "a\\xzz\\x4");
	/* Two halves, the second of which is none; and the whole range. */
	assert_redacted("\\ud83d\\u0061bcdef \\ud83d_ude00bcdef "
	    "\\ud83d\\xde00bcdef \\ud83d\\uzzzzbcdef "
	    "\\ud83d\\udbffbcdef \\ud83d\\ue000bcdef",
	    "\\ud83d\\u0061bcdef \\ud83d_ude00bcdef "
	    "\\ud83d\\xde00bcdef \\ud83d\\uzzzzbcdef "
	    "\\ud83d\\udbffbcdef \\ud83d\\ue000bcdef",
	    "\xf0\x9f\x98\x80" "bcdef");
	assert_redacted("\\ud800\\udc00bcdef \\udbff\\udfffbcdef",
	    "(secret) (secret)", "\xf0\x90\x80\x80" "bcdef",
	    "\xf4\x8f\xbf\xbf" "bcdef");
	assert_redacted("\\ud7ffbcdef \\ue000bcdef \\uffffbcdef",
	    "(secret) (secret) (secret)", "\xed\x9f\xbf" "bcdef",
	    "\xee\x80\x80" "bcdef", "\xef\xbf\xbf" "bcdef");
	/* At the very end of the text. */
	assert_redacted("bcdef\\ud83d\\ude00", "(secret)",
	    "bcdef\xf0\x9f\x98\x80");
	assert_redacted("bcdef\\ud83d", "bcdef\\ud83d",
	    "bcdef\xf0\x9f\x98\x80");
}

static void
test_redact_finds_percent_encoding(void **state)
{
	(void)state;
	assert_redacted("/?k=a%2Fb%2fc%20d%26", "/?k=(secret)", "a/b/c d&");
	assert_redacted("/?k=a%2Fb%2fc+d%26", "/?k=(secret)", "a/b/c d&");
	assert_redacted("/?k=%61bc+def", "/?k=(secret)", "abc+def");
	assert_redacted("100%zz of it", "(secret) of it", "100%zz");
}

static void
encode_base64(struct strbuf *out, struct str text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
				      "klmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < text.len; i += 3) {
		uint32_t group = 0;
		for (size_t j = 0; j < 3; j++)
			group = group << 8 | (i + j < text.len
				? (unsigned char)text.data[i + j] : 0u);
		for (size_t j = 0; j < 4; j++)
			strbuf_addc(out, i + j <= text.len
				? letters[group >> (18 - 6 * j) & 63] : '=');
	}
}

/* No four letters in a row that only the value decides may be left. */
static void
test_redact_finds_base64_at_all_alignments(void **state)
{
	(void)state;
	static const char *const before[] = { "", "u", "us", "use", "user" };
	static const char *const after[] = { "", "!", "!!", "!!!" };
	static const char *const values[] = { "hunter", "hunter2",
		"hunter22", "\xff\xfe>>>???", "correct horse battery" };

	for (size_t v = 0; v < COUNTOF(values); v++)
	for (size_t b = 0; b < COUNTOF(before); b++)
	for (size_t a = 0; a < COUNTOF(after); a++) {
		struct strbuf plain = {0}, coded = {0}, out = {0};
		struct redactor *redactor = redactor_new();
		redactor_add(redactor, str_from(values[v]));
		strbuf_addf(&plain, "%s%s%s", before[b], values[v], after[a]);
		encode_base64(&coded, strbuf_str(&plain));
		redact(redactor, &out, strbuf_str(&coded));
		ptrdiff_t at = str_search(strbuf_str(&out), STR("(secret)"));
		assert_true(at >= 0);
		/* What is left holds none of the value's bits. */
		size_t first = strlen(before[b]) * 8 / 6;
		size_t past = (strlen(before[b]) + strlen(values[v])) * 8;
		past = (past + 5) / 6;
		assert_true((size_t)at <= first);
		assert_true(out.len - (size_t)at - 8 <= coded.len - past);
		for (size_t i = 0; i < coded.len; i++)
			coded.data[i] = coded.data[i] == '+' ? '-'
			    : coded.data[i] == '/'           ? '_'
							     : coded.data[i];
		strbuf_reset(&out);
		redact(redactor, &out, strbuf_str(&coded));
		assert_true(str_search(strbuf_str(&out), STR("(secret)")) >= 0);
		redactor_free(redactor);
		strbuf_release(&plain);
		strbuf_release(&coded);
		strbuf_release(&out);
	}
}

static void
test_redact_finds_base64_in_lines(void **state)
{
	(void)state;
	/* "correct horse" is Y29ycmVjdCBob3JzZQ== */
	assert_redacted("x Y29ycmVj\ndCBob3Jz\r\nZQ== x", "x (secret)== x",
	    "correct horse");
	assert_redacted("x Y29ycmVj\\ndCBob3JzZQ== x", "x (secret)== x",
	    "correct horse");
	assert_redacted("x Y29ycmVj\\rdCBob3JzZQ== x", "x (secret)== x",
	    "correct horse");
	/* A backslash that ends the text, or begins something else. */
	assert_redacted("Y29ycmVjdCBob3Jz\\", "Y29ycmVjdCBob3Jz\\",
	    "correct horse");
	assert_redacted("Y29ycmVj\\tdCBob3JzZQ==", "Y29ycmVj\\tdCBob3JzZQ==",
	    "correct horse");
	/* "??????" is Pz8/Pz8/ */
	assert_redacted("\"Pz8\\/Pz8\\/\"", "\"(secret)\"", "??????");
}

/* Letters at either side hold some of its bits: they are hidden with it, as
 * far as there are any.  "use hunter" is dXNlIGh1bnRlcg==. */
static void
test_redact_hides_the_letters_beside_base64(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		/* "G" has four bits of its first letter, "I" none. */
		{ "dXNlIGh1bnRlcg==", "dXNlI(secret)==" },
		{ "IGh1bnRlcg==", "I(secret)==" },
		{ " Gh1bnRlcg==", " (secret)==" },
		/* Cut where it begins, and where it ends. */
		{ "h1bnRlcg==", "(secret)==" },
		{ "h1bnRlc", "(secret)" },
		{ "h1bnRlc.", "(secret)." },
		{ ".h1bnRlc-", ".(secret)" },
		{ "_h1bnRlc_", "(secret)" },
		{ "-h1bnRlc+", "(secret)" },
		{ "=h1bnRlc=", "=(secret)=" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_redacted(rows[i].text, rows[i].want, "hunter");
}

static void
test_redact_hides_overlapping_secrets_together(void **state)
{
	(void)state;
	assert_redacted("abcdefghi", "(secret)", "abcdef", "defghi");
	assert_redacted("abcdefghi.", "(secret).", "abcdef", "abcdefghi");
	assert_redacted("abcdefabcdef", "(secret)(secret)", "abcdef",
	    "abcdef");
	/* One within another, and two that begin together. */
	assert_redacted("0123456789abcdef.", "(secret).", "0123456789abcdef",
	    "3456789");
	assert_redacted("0123456789abcdef.", "(secret).", "0123456789abcdef",
	    "0123456");
	assert_redacted("0123456789abcdef.", "(secret).", "0123456",
	    "0123456789abcdef");
}

static void
test_redact_trims_and_splits_values(void **state)
{
	(void)state;
	assert_redacted("t=token-1;", "t=(secret);", "token-1\n");
	assert_redacted("> MIIEvQIBADANBgkq <\n-----BEGIN KEY-----",
	    "> (secret) <\n-----BEGIN KEY-----",
	    "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nshort\n"
	    "-----END KEY-----\n");
	assert_redacted("short", "short",
	    "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nshort\n"
	    "-----END KEY-----\n");
}

static void
test_redact_knows_many_secrets(void **state)
{
	(void)state;
	struct redactor *redactor = redactor_new();
	struct arena arena = {0};
	for (int i = 0; i < 100; i++)
		redactor_add(redactor, arena_printf(&arena, "value-%03d", i));
	struct strbuf out = {0};
	redact(redactor, &out, STR("value-000 value-057 value-099 value-1"));
	assert_string_equal(out.data, "(secret) (secret) (secret) value-1");
	strbuf_release(&out);
	arena_release(&arena);
	redactor_free(redactor);
	redactor_free(NULL);
}

/* Text in pieces, each as long as `step`, comes out as it does in one. */
static void
check_pieces(const struct redactor *redactor, struct str text, size_t step)
{
	struct strbuf whole = {0}, out = {0}, held = {0};

	redact(redactor, &whole, text);
	for (size_t at = 0; at < text.len; at += step) {
		strbuf_add(&held, str_sub(text, at, step));
		size_t n = redact_part(redactor, &out, strbuf_str(&held));
		assert_true(n <= held.len);
		memmove(held.data, held.data + n, held.len - n);
		held.len -= n;
		/* What is held is bounded. */
		assert_true(held.len <= 2 * redactor_hold(redactor) + step);
	}
	redact(redactor, &out, strbuf_str(&held));
	if (!str_eq(strbuf_str(&out), strbuf_str(&whole)))
		fail_msg("step %zu: " STR_FMT "\nwanted " STR_FMT, step,
		    STR_ARG(strbuf_str(&out)), STR_ARG(strbuf_str(&whole)));
	strbuf_release(&whole);
	strbuf_release(&out);
	strbuf_release(&held);
}

static void
test_redact_finds_what_lies_across_pieces(void **state)
{
	static const char *const spelt[] = { "wandb/key=1",
		"wandb\\/key=1", "wandb%2Fkey%3d1", "\\u0077andb/key=1",
		"XwandbXkeyd2FuZGIva2V5PTE=", "x3YW5kYi9rZXk9MX" };
	struct redactor *redactor = redactor_new();
	struct strbuf text = {0};

	(void)state;
	redactor_add(redactor, STR("wandb/key=1"));
	redactor_add(redactor, STR("key=1key=1key=1"));
	for (size_t i = 0; i < COUNTOF(spelt); i++)
		for (size_t pad = 0; pad < 40; pad++) {
			strbuf_pad(&text, 900 + 7 * pad, '.');
			strbuf_adds(&text, spelt[i]);
		}
	strbuf_adds(&text, "wandb/key=1key=1key=1wandb/key=1");
	assert_true(str_search(strbuf_str(&text), STR("key=1")) >= 0);
	for (size_t step = 1; step < 60; step++)
		check_pieces(redactor, strbuf_str(&text), 37 * step);
	/* Without its beginning, wherever that was cut off. */
	for (size_t at = text.len - 3000; at < text.len - 1100; at++) {
		struct str rest = str_sub(strbuf_str(&text), at, text.len);
		struct strbuf clean = {0};
		redact(redactor, &clean, str_sub(rest, redact_skip(redactor,
		    rest), rest.len));
		assert_true(str_search(strbuf_str(&clean), STR("key")) < 0);
		strbuf_release(&clean);
	}
	/* All of it one token, by its form, which never ends. */
	strbuf_reset(&text);
	strbuf_adds(&text, "ghp_");
	strbuf_pad(&text, 5000, 'a');
	struct strbuf out = {0};
	assert_true(redact_part(redactor, &out, strbuf_str(&text)) > 4000);
	assert_string_equal(out.data, "(secret)");
	strbuf_release(&out);
	strbuf_release(&text);
	redactor_free(redactor);
}

/* What the pieces of text come to, of `step` bytes each. */
static void
in_pieces(const struct redactor *redactor, struct str text, size_t step,
    struct strbuf *out)
{
	struct strbuf held = {0};

	for (size_t at = 0; at < text.len; at += step) {
		strbuf_add(&held, str_sub(text, at, step));
		size_t n = redact_part(redactor, out, strbuf_str(&held));
		memmove(held.data, held.data + n, held.len - n);
		held.len -= n;
		assert_true(held.len <= 2 * redactor_hold(redactor) + step);
	}
	redact(redactor, out, strbuf_str(&held));
	strbuf_release(&held);
}

/* It begins with `<` and words for what is hidden; what comes then. */
static struct str
behind_row(const struct strbuf *out)
{
	struct str left = strbuf_str(out);

	assert_true(str_starts(left, STR("<(secret)")));
	for (left = str_sub(left, 1, left.len);
	     str_starts(left, STR("(secret)"));)
		left = str_sub(left, 8, left.len);
	return left;
}

/*
 * A row of secrets each of which begins within the one before, and that goes
 * on for longer than anything is held back.  A short one that begins last
 * does not end last.
 */
static void
test_redact_leaves_no_fragment_of_a_row_of_secrets(void **state)
{
	static const char *const rows[][4] = {
		{ "0123456789", "789abcdefghijklmnop", "mnop0123456", NULL },
		{ "0123456789abcdefghijklmnop0123", "456789", "jklmnop",
		  "p01234" },
		{ "p0123456789abcdefghijklmnop0", "0123456789abcdefghijklmno",
		  NULL, NULL },
	};
	struct strbuf text = {0}, whole = {0}, out = {0};

	(void)state;
	strbuf_adds(&text, "<");
	for (int i = 0; i < 300; i++)
		strbuf_adds(&text, "0123456789abcdefghijklmnop");
	strbuf_adds(&text, "0>");
	for (size_t row = 0; row < COUNTOF(rows); row++) {
		struct redactor *redactor = redactor_new();
		for (size_t i = 0; i < 4 && rows[row][i] != NULL; i++)
			redactor_add(redactor, str_from(rows[row][i]));
		strbuf_reset(&whole);
		redact(redactor, &whole, strbuf_str(&text));
		assert_true(whole.len < 50);
		for (size_t step = 1; step < 3000; step += step / 3 + 7) {
			strbuf_reset(&out);
			in_pieces(redactor, strbuf_str(&text), step, &out);
			struct str left = behind_row(&out);
			if (!str_eq(left, behind_row(&whole)))
				fail_msg("row %zu, step %zu: " STR_FMT, row,
				    step, STR_ARG(left));
		}
		redactor_free(redactor);
	}
	strbuf_release(&out);
	strbuf_release(&whole);
	strbuf_release(&text);
}

static void
test_redactor_lives_as_long_as_its_owners(void **state)
{
	struct redactor *redactor = redactor_new();
	struct strbuf out = {0};

	(void)state;
	assert_null(redactor_share(NULL));
	assert_ptr_equal(redactor_share(redactor), redactor);
	assert_ptr_equal(redactor_share(redactor), redactor);
	redactor_add(redactor, STR("hunter22"));
	for (int owners = 3; owners > 0; owners--) {
		strbuf_reset(&out);
		redact(redactor, &out, STR("hunter22"));
		assert_string_equal(out.data, "(secret)");
		redactor_free(redactor);	/* the last one ends it */
	}
	/* Nobody's: by their form alone, in pieces as well. */
	strbuf_reset(&out);
	assert_int_equal(redactor_hold(NULL), redactor_hold(NULL));
	assert_true(redactor_hold(NULL) >= 1024);
	struct strbuf text = {0};
	strbuf_adds(&text, "ghp_0123456789abcdefABCD ");
	strbuf_pad(&text, redactor_hold(NULL), '.');
	assert_true(redact_part(NULL, &out, strbuf_str(&text)) > 0);
	assert_true(str_starts(strbuf_str(&out), STR("(secret) ")));
	strbuf_release(&text);
	strbuf_release(&out);
}

static void
test_redact_appends_and_knows_nothing_at_first(void **state)
{
	(void)state;
	struct redactor *redactor = redactor_new();
	struct strbuf out = {0};
	strbuf_adds(&out, "log: ");
	redact(redactor, &out, STR("a\\b%c"));
	assert_string_equal(out.data, "log: a\\b%c");
	strbuf_release(&out);
	redactor_free(redactor);
}

/* Nobody told us of these: they are known by what they look like. */
static void
test_redact_finds_tokens_by_their_form(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "token ghp_0123456789abcdefABCD, bad", "token (secret), bad" },
		{ "a github_pat_11AAAAAA0_0123456789.", "a (secret)." },
		{ "gho_0123456789abcdefABCD", "(secret)" },
		{ "ghu_0123456789abcdefABCD", "(secret)" },
		{ "\"ghr_0123456789abcdefABCD\"", "\"(secret)\"" },
		{ "x\\nghs_0123456789abcdefABCD", "x\\n(secret)" },
		{ "ghs_7_eyJhbGciOiJS.eyJpYXQiOjE.c2ln-bmF0_dXJl.",
		    "(secret)." },
		{ "Bearer eyJhbGciOiJS.eyJpYXQiOjE.c2lnbmF0dXJl!",
		    "Bearer (secret)!" },
		{ "k: -----BEGIN RSA PRIVATE KEY-----\nMIIE\n"
		    "-----END RSA PRIVATE KEY-----\nrest",
		    "k: (secret)\nrest" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3Bl",
		    "(secret)" },
		{ "ghp_0123456789abcdefABCD-, x", "(secret)-, x" },
		{ "~ghp_0123456789abcdefABCD~", "~(secret)~" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"
		    "-----END RSA PRIV", "(secret)" },
		/* These are none. */
		{ "ghp_0123456789abcde", "ghp_0123456789abcde" },
		{ "eyJhbGciOiJS", "eyJhbGciOiJS" },
		{ "eyJhbGciOiJS.eyJpYXQiOjE", "eyJhbGciOiJS.eyJpYXQiOjE" },
		{ "eyJhbGciOiJS.eyJpYXQiOjE.c2lnbm", "eyJhbGciOiJS."
		    "eyJpYXQiOjE.c2lnbm" },
		{ "-----BEGIN RSA PRIVATE KEY", "-----BEGIN RSA PRIVATE KEY" },
		{ "ghp_short, ghs_, highp_0123456789abcdefABCD",
		    "ghp_short, ghs_, highp_0123456789abcdefABCD" },
		{ "eyJhbGciOiJS.x.y", "eyJhbGciOiJS.x.y" },
		{ "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----" },
		{ "- ---- g e", "- ---- g e" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct strbuf out = {0};
		redact(NULL, &out, str_from(rows[i].text));
		assert_string_equal(out.data, rows[i].want);
		strbuf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret_keeps_a_copy_and_forgets_it),
		cmocka_unit_test(test_secret_empty_is_set_and_absent_is_not),
		cmocka_unit_test(test_redact_finds_plain_values),
		cmocka_unit_test(test_redact_finds_what_lies_across_pieces),
		cmocka_unit_test(
		    test_redact_leaves_no_fragment_of_a_row_of_secrets),
		cmocka_unit_test(test_redact_ignores_short_values),
		cmocka_unit_test(test_redact_finds_tokens_by_their_form),
		cmocka_unit_test(test_redact_finds_json_escapes),
		cmocka_unit_test(test_redact_finds_percent_encoding),
		cmocka_unit_test(test_redact_finds_base64_at_all_alignments),
		cmocka_unit_test(test_redact_finds_base64_in_lines),
		cmocka_unit_test(test_redact_hides_the_letters_beside_base64),
		cmocka_unit_test(test_redactor_lives_as_long_as_its_owners),
		cmocka_unit_test(
		    test_redact_hides_overlapping_secrets_together),
		cmocka_unit_test(test_redact_trims_and_splits_values),
		cmocka_unit_test(test_redact_knows_many_secrets),
		cmocka_unit_test(
		    test_redact_appends_and_knows_nothing_at_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
