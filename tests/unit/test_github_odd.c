/*
 * test_github_odd.c - the parts of pkg/github one by one, by tables: what is
 * kept, what is followed, and what is no answer at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "github/github_cache.h"
#include "github/github_classify.h"
#include "github/github_encode.h"
#include "github/github_link.h"
#include "github/github_world.h"
#include "tests/unit/github_answers.h"

#define TEN "xxxxxxxxxx"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void
check_text(const char *of, struct str actual, const char *expected)
{
	if (!str_is(actual, expected))
		fail_msg("%s: '%.*s', not '%s'", of, (int)actual.len,
		    actual.data, expected);
}

static struct str
repeated(struct arena *arena, char byte, size_t n)
{
	char *text = arena_alloc(arena, n + 1);
	memset(text, byte, n);
	text[n] = '\0';
	return (struct str){ text, n };
}

/* ------------------------------------------------------------- addresses ---- */

static void
test_github_knows_its_own_origin(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "https://a.b", "https://a.b/x?y#z", true },
		{ "https://a.b/v3", "HTTPS://A.B?x", true },
		{ "https://a.b", "https://a.b:443/x", true },
		{ "https://a.b:443", "https://a.b#x", true },
		{ "http://a.b:80/", "http://a.b", true },
		{ "http://a.b", "http://a.b:80", true },
		{ "http://a.b:443", "http://a.b", false },
		{ "https://a.b:80", "https://a.b", false },
		{ "https://a.b", "http://a.b", false },
		{ "https://a.b", "https://a.b.c", false },
		{ "https://a.b", "https://a.b@c", false },
		{ "https://a.b@c", "https://a.b@c", false },
		{ "https://a.b", "https://a.b\\@c", false },
		{ "https://a.b", "//a.b/x", false },
		{ "", "", false }, { "a.b", "a.b", false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++)
		if (github_world_same_origin(str_from(cases[i].a),
		    str_from(cases[i].b)) != cases[i].same)
			fail_msg("%s %s", cases[i].a, cases[i].b);
}

static void
test_github_reads_links_as_they_may_be_written(void **state)
{
	static const struct {
		const char *header;
		bool ok;
		const char *next;	/* NULL: none */
	} cases[] = {
		{ "", true, NULL }, { " ", true, NULL },
		{ "</a?page=2>; rel=next", true, "/a?page=2" },
		{ "</a,b;c>; rel=\"next\"", true, "/a,b;c" },
		{ "</a>; title=\"<x>, rel=next\"; rel=next", true, "/a" },
		{ "</a>; title=\"x;y\"; REL=\"last NEXT\"", true, "/a" },
		{ "</z>; rel=last, </a>; rel=\"prev next\"", true, "/a" },
		{ "</a>; rel=\"nextish\"", true, NULL },
		{ "</a>; rel", true, NULL }, { "</a>; =next", true, NULL },
		{ "</a>", true, NULL }, { "</a>; rel=\"", true, NULL },
		{ "<ab://c>; rel=next", true, "ab://c" },
		/* Of these, nobody knows where they lead. */
		{ "/a; rel=next", false, NULL }, { "<", false, NULL },
		{ "</a; rel=next", false, NULL }, { "a>", false, NULL },
		{ "</a>; rel=next, </b>; rel=next", false, NULL },
		{ "<>; rel=next", false, NULL },
		{ "<a>; rel=next", false, NULL },
		{ "<://a>; rel=next", false, NULL },
		{ "</a b>; rel=next", false, NULL },
		{ "</a\x7f>; rel=next", false, NULL },
		{ "</a\\>; rel=next", false, NULL },
		{ "</a#b>; rel=next", false, NULL },
		{ "</a\">; rel=next", false, NULL },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str next;
		bool ok = github_link_next(str_from(cases[i].header), &next);
		if (ok != cases[i].ok)
			fail_msg("%s: %d", cases[i].header, ok);
		if (ok && cases[i].next == NULL)
			assert_null(next.data);
		else if (ok)
			check_text(cases[i].header, next, cases[i].next);
	}
	/* An address of 2 KiB is one, a longer one is not. */
	for (size_t n = 2047; n <= 2048; n++) {
		struct str next, url = repeated(&arena, 'x', n);
		assert_int_equal(github_link_next(arena_printf(&arena,
		    "</" STR_FMT ">; rel=next", STR_ARG(url)), &next),
		    n == 2047);
	}
	arena_release(&arena);
}

static void
test_github_reads_the_page_of_an_address(void **state)
{
	static const struct {
		const char *url;
		int64_t page;
	} cases[] = {
		{ "/a?page=7", 7 }, { "/a?per_page=9&page=7&x", 7 },
		{ "/a?page=7&page=8", 8 }, { "/a", 0 }, { "/a?", 0 },
		{ "/a?page=", 0 }, { "/a?page=x", 0 }, { "/a?page=-1", 0 },
		{ "/a?Page=7", 0 }, { "/page=7", 0 },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++)
		if (github_link_page(str_from(cases[i].url)) != cases[i].page)
			fail_msg("%s", cases[i].url);
}

static void
test_github_encodes_each_byte_of_a_name(void **state)
{
	struct arena arena = {0};
	char name[257] = "";
	(void)state;

	for (int c = 1; c < 256; c++) {
		struct strbuf out = {0};
		name[0] = (char)c;
		name[1] = '\0';
		github_encode_scope(&out, &(struct github_scope){
		    .organization = str_from(name) });
		bool plain = (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '_' || c == '~';
		/* A dot alone is no name but a way. */
		check_text(name, strbuf_str(&out), plain ?
		    arena_printf(&arena, "/orgs/%c", c).data :
		    arena_printf(&arena, "/orgs/%%%02X", c).data);
		strbuf_release(&out);
	}
	struct strbuf out = {0};
	github_encode_scope(&out, &(struct github_scope){
	    .repository = STR("../..") });
	check_text("dots", strbuf_str(&out), "/repos/%2E%2E/%2E%2E");
	strbuf_release(&out);
	arena_release(&arena);
}

/* ----------------------------------------------------------------- cache ---- */

static struct http_answer
tagged(struct str etag, struct str body)
{
	return (struct http_answer){ .outcome = HTTP_ANSWERED, .status = 200,
		.etag = etag, .body = body };
}

static void
test_github_cache_keeps_what_has_a_tag(void **state)
{
	static const struct {
		const char *path, *etag;
		size_t bytes;
		bool kept;
	} cases[] = {
		{ "/a", "\"x\"", 5, true }, { "/a", "W/\"x\"", 5, true },
		{ "/a", "\"\"", 0, true }, { "/a", "", 5, false },
		{ "/a", "\"", 5, false }, { "/a", "\"x", 5, false },
		{ "/a", "\"\n\"", 5, false }, { "/a", "\"\x7f\"", 5, false },
		{ "/a", "\"" HUNDRED HUNDRED TEN TEN TEN TEN TEN "xxxx\"", 5,
		  true },
		{ "/a", "\"" HUNDRED HUNDRED TEN TEN TEN TEN TEN "xxxxx\"", 5,
		  false },
		{ "/a", "\"x\"", 1 << 20, true },
		{ "/a", "\"x\"", (1 << 20) + 1, false },
		/* With tokens in them, which die soon. */
		{ "/a/downloads", "\"x\"", 5, false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct github_cache *cache = github_cache_new();
		struct arena arena = {0};
		struct http_answer answer = tagged(str_from(cases[i].etag),
		    repeated(&arena, 'b', cases[i].bytes)), found = {0};
		answer.link = i % 2 == 0 ? STR("</b>; rel=next") :
		    (struct str){0};
		github_cache_keep(cache, str_from(cases[i].path), &answer);
		bool used = github_cache_use(cache, str_from(cases[i].path),
		    &arena, &found);
		if (used != cases[i].kept)
			fail_msg("%s %s", cases[i].path, cases[i].etag);
		if (used) {
			assert_true(str_eq(found.body, answer.body));
			assert_int_equal(found.status, 200);
			assert_true(str_eq(found.link, answer.link));
		}
		assert_true(str_eq(github_cache_etag(cache,
		    str_from(cases[i].path)), used ? answer.etag :
		    (struct str){0}));
		arena_release(&arena);
		github_cache_free(cache);
	}
	github_cache_free(NULL);
}

static void
test_github_cache_forgets_the_oldest(void **state)
{
	struct github_cache *cache = github_cache_new();
	struct arena arena = {0};
	struct http_answer found;
	struct http_answer small = tagged(STR("\"s\""), STR("s"));
	struct http_answer large = tagged(STR("\"l\""),
	    repeated(&arena, 'l', 1 << 20));
	(void)state;

	/* 32 of them. */
	for (int i = 0; i < 33; i++)
		github_cache_keep(cache, arena_printf(&arena, "/%d", i),
		    &small);
	assert_false(github_cache_use(cache, STR("/0"), &arena, &found));
	assert_true(github_cache_use(cache, STR("/1"), &arena, &found));
	assert_true(github_cache_use(cache, STR("/32"), &arena, &found));
	/* A newer answer takes the place of the older; without a tag it only
	 * takes it away. */
	struct http_answer newer = tagged(STR("\"n\""), STR("n"));
	github_cache_keep(cache, STR("/1"), &newer);
	assert_true(github_cache_use(cache, STR("/1"), &arena, &found));
	check_text("body", found.body, "n");
	newer.etag = (struct str){0};
	github_cache_keep(cache, STR("/1"), &newer);
	assert_false(github_cache_use(cache, STR("/1"), &arena, &found));
	/* 8 MiB in all. */
	for (int i = 0; i < 9; i++)
		github_cache_keep(cache, arena_printf(&arena, "/l%d", i),
		    &large);
	assert_false(github_cache_use(cache, STR("/32"), &arena, &found));
	assert_false(github_cache_use(cache, STR("/l0"), &arena, &found));
	assert_true(github_cache_use(cache, STR("/l1"), &arena, &found));
	assert_true(github_cache_use(cache, STR("/l8"), &arena, &found));
	arena_release(&arena);
	github_cache_free(cache);
}

/* -------------------------------------------------------------- refusals ---- */

static void
test_github_reads_the_words_of_a_refusal(void **state)
{
	static const struct {
		const char *body, *message;	/* NULL: not proven */
	} cases[] = {
		{ "{\"message\":\"no\"}", "no" },
		{ "{\"message\":\"no\",\"status\":\"422\"}", "no" },
		{ "{\"message\":\"no\",\"status\":422}", "no" },
		{ "{\"message\":\"no\",\"status\":null}", "no" },
		{ "{\"message\":\"no\",\"errors\":\"a\"}", "no; a" },
		{ "{\"message\":\"no\",\"errors\":[]}", "no" },
		{ "{\"message\":\"no\",\"errors\":{}}", "no" },
		{ "{\"message\":\"no\",\"errors\":[\"a\",\"\",{\"message\":"
		  "\"b\"},{\"field\":\"f\",\"code\":\"c\"},{\"field\":\"g\"},"
		  "{\"code\":\"d\"},{},7]}", "no; a; b; f: c; g; d" },
		{ "{\"message\":\"no\",\"errors\":[{\"field\":7,\"code\":8,"
		  "\"message\":9}]}", "no" },
		{ "{\"message\":\"no\",\"status\":\"404\"}", NULL },
		{ "{\"message\":\"no\",\"status\":\"x\"}", NULL },
		{ "{\"message\":\"no\",\"status\":404}", NULL },
		{ "{\"message\":\"no\",\"status\":[]}", NULL },
		{ "{\"message\":\"no\",\"status\":1e9}", NULL },
		{ "{\"message\":\"no\",\"id\":1}", NULL },
		{ "{\"message\":7}", NULL }, { "{}", NULL },
		{ "[]", NULL }, { "", NULL }, { "no", NULL },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct github_problem problem = github_classify_problem(
		    &arena, str_from(cases[i].body), 422);
		if (problem.proven != (cases[i].message != NULL))
			fail_msg("%s: %d", cases[i].body, problem.proven);
		if (problem.proven)
			check_text(cases[i].body, problem.message,
			    cases[i].message);
		arena_release(&arena);
	}
}

/* --------------------------------------------------------------- answers ---- */

#define FILE_OF(version) "actions-runner-linux-x64-" version ".tar.gz"
#define PACKAGE(file, url, more) "[{\"os\":\"linux\",\"architecture\":" \
	"\"x64\",\"filename\":\"" file "\",\"download_url\":\"" url "\"" \
	more "}]"
#define GOOD FILE_OF("2.1.0")
#define URL "https://x/y"
#define SUM "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789"

static void
test_github_an_odd_answer_is_none_and_says_why(void **state)
{
	static const struct {
		enum github_op op;
		int status;
		const char *body, *why;		/* NULL: it is fine */
	} cases[] = {
		{ GITHUB_LIST_GROUPS, 200, "{}", "answer.runner_groups: missing" },
		{ GITHUB_LIST_GROUPS, 200, "{\"runner_groups\":[7,{}]}",
		  "answer.id: missing" },
		{ GITHUB_GET_REPOSITORY, 200, "[]", "answer: object expected" },
		{ GITHUB_GET_REPOSITORY, 200, "{}", "answer.private: missing" },
		{ GITHUB_DEPRECATION, 200, "[]", "answer: object expected" },
		{ GITHUB_DEPRECATION, 200, "{\"runner_version\":\"9\"}",
		  "answer.runner_version: the version that was asked for "
		  "expected" },
		{ GITHUB_DEPRECATION, 200,
		  "{\"runtime_deprecates_at\":\"soon\"}",
		  "answer.runtime_deprecates_at: time expected" },
		{ GITHUB_DEPRECATION, 200, "{\"runtime_deprecates_at\":\""
		  "2026-11-21T12:00:00." TEN TEN TEN TEN TEN "Z\"}",
		  "answer.runtime_deprecates_at: time expected" },
		{ GITHUB_DOWNLOADS, 200, "{}", "answer: array expected" },
		{ GITHUB_DOWNLOADS, 200, "[{}]", "answer.os: missing" },
		{ GITHUB_DOWNLOADS, 200, "[{\"os\":\"linux\"}]",
		  "answer.architecture: missing" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(GOOD, URL, ""), NULL },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(FILE_OF("1"), "http://x",
		  ",\"sha256_checksum\":\"\",\"temp_download_token\":\"\""),
		  NULL },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(GOOD, URL,
		  ",\"sha256_checksum\":\"" SUM "\""), NULL },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(FILE_OF(""), URL, ""),
		  "answer.filename: " FILE_OF("VERSION") " expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(FILE_OF("2..1"), URL, ""),
		  "answer.filename: " FILE_OF("VERSION") " expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(FILE_OF("2.1."), URL, ""),
		  "answer.filename: " FILE_OF("VERSION") " expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(FILE_OF("2.1a"), URL, ""),
		  "answer.filename: " FILE_OF("VERSION") " expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(FILE_OF("2/1"), URL, ""),
		  "answer.filename: " FILE_OF("VERSION") " expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE("x.zip", URL, ""),
		  "answer.filename: " FILE_OF("VERSION") " expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(
		  FILE_OF("1111111111111111.1111111111111111"), URL, ""),
		  "answer.filename: " FILE_OF("VERSION") " expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(GOOD, "ftp://x", ""),
		  "answer.download_url: URL expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(GOOD, "", ""),
		  "answer.download_url: URL expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(GOOD, URL "\\\"", ""),
		  "answer.download_url: URL expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(GOOD, URL "\\\\", ""),
		  "answer.download_url: URL expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(GOOD, URL "\\u007f", ""),
		  "answer.download_url: URL expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(GOOD, URL,
		  ",\"sha256_checksum\":\"12\""),
		  "answer.sha256_checksum: 64 hex digits expected" },
		{ GITHUB_DOWNLOADS, 200, PACKAGE(GOOD, URL,
		  ",\"temp_download_token\":\"a b\""),
		  "answer.temp_download_token: token expected" },
		{ GITHUB_REGISTRATION_TOKEN, 201, "{}", "answer.token: missing" },
		{ GITHUB_REGISTRATION_TOKEN, 201, "{\"token\":\"\"}",
		  "answer.token: token expected" },
		{ GITHUB_REGISTRATION_TOKEN, 201, "{\"token\":\"a\\u007f\"}",
		  "answer.token: token expected" },
		{ GITHUB_REGISTRATION_TOKEN, 201,
		  "{\"token\":\"a\",\"expires_at\":\"soon\"}",
		  "answer.expires_at: time expected" },
		{ GITHUB_REGISTRATION_TOKEN, 201, "{\"token\":\"a\"}", NULL },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct github_answer answer = decode(&arena, cases[i].op,
		    cases[i].status, cases[i].body);
		if (cases[i].why != NULL)
			check_text(cases[i].body, answer.message,
			    cases[i].why);
		if ((answer.outcome == OUTCOME_OK) != (cases[i].why == NULL))
			fail_msg("%s: %.*s", cases[i].body,
			    (int)answer.message.len, answer.message.data);
		arena_release(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_github_knows_its_own_origin),
		cmocka_unit_test(
		    test_github_reads_links_as_they_may_be_written),
		cmocka_unit_test(test_github_reads_the_page_of_an_address),
		cmocka_unit_test(test_github_encodes_each_byte_of_a_name),
		cmocka_unit_test(test_github_cache_keeps_what_has_a_tag),
		cmocka_unit_test(test_github_cache_forgets_the_oldest),
		cmocka_unit_test(test_github_reads_the_words_of_a_refusal),
		cmocka_unit_test(
		    test_github_an_odd_answer_is_none_and_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
