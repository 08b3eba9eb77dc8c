/*
 * test_io_url.c - addresses, by tables: what is a host, which are the same,
 * where a download may go on, and which of them go by a proxy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "io/io_url.h"

static void
check_text(const char *of, struct str actual, const char *expected)
{
	if (!str_is(actual, expected))
		fail_msg("%s: '%.*s', not '%s'", of, (int)actual.len,
		    actual.data, expected);
}

static void
test_io_url_host_is_what_stands_between(void **state)
{
	static const struct {
		const char *url, *host;		/* NULL: none */
	} cases[] = {
		{ "https://a.b/c", "a.b" }, { "https://a.b:8/c", "a.b" },
		{ "https://u:p@a.b:8?c", "a.b" }, { "https://u@v@a#b", "a" },
		{ "http://[::1]:80/", "::1" }, { "http://[::1]", "::1" },
		{ "http://[::1].example", NULL }, { "http://[]:80", NULL },
		{ "http://[::1", NULL }, { "https://", NULL },
		{ "https://:80/", NULL }, { "https:///a", NULL },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str host = io_url_host(str_from(cases[i].url));
		if (cases[i].host == NULL && host.data != NULL)
			fail_msg("%s has %.*s", cases[i].url, (int)host.len,
			    host.data);
		else if (cases[i].host != NULL)
			check_text(cases[i].url, host, cases[i].host);
	}
}

static void
test_io_url_loopback_is_this_machine_alone(void **state)
{
	static const struct {
		const char *host;
		bool is;
	} cases[] = {
		{ "localhost", true }, { "LocalHost", true }, { "::1", true },
		{ "127.0.0.1", true }, { "127.1.2.3", true },
		{ "127.0.0", false }, { "127.0.0.", false },
		{ "127.0.0.1.", false }, { "127.0.0.1.evil", false },
		{ "127.evil.0.1", false }, { "127.0.0.1/x", false },
		{ "128.0.0.1", false }, { "", false }, { "localhost.evil",
		  false }, { "::2", false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++)
		if (io_url_is_loopback(str_from(cases[i].host)) !=
		    cases[i].is)
			fail_msg("%s", cases[i].host);
}

static void
test_io_url_same_origin_by_scheme_host_and_port(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "https://a/x", "https://A:443/y?z", true },
		{ "http://a:80", "http://a", true },
		{ "http://a:8080", "http://a:8080/x", true },
		{ "https://a:", "https://a", true },
		{ "https://a", "http://a", false },
		{ "http://a", "https://a", false },
		{ "https://a:80", "https://a", false },
		{ "https://a", "https://b", false },
		{ "https://u@a", "https://a", false },
		{ "https://a", "https://u@a", false },
		{ "ftp://a", "ftp://a", false }, { "a", "a", false },
		{ "https://a b", "https://a b", false },
		{ "https://a", "https://a/\"", false },
		{ "https://a", "https://a/<", false },
		{ "https://a", "https://a/>", false },
		{ "https://a", "https://a\\b", false },
		{ "https://a", "https://a/\x7f", false },
		{ "https://a/\n", "https://a", false },
		{ "https://[::1]", "https://[::1]:443", true },
		{ "https://[x", "https://[x", false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++)
		if (io_url_same_origin(str_from(cases[i].a),
		    str_from(cases[i].b)) != cases[i].same)
			fail_msg("%s %s", cases[i].a, cases[i].b);
}

static void
test_io_url_goes_on_where_it_is_safe(void **state)
{
	static const struct {
		const char *first, *from, *location, *to;	/* NULL: no */
	} cases[] = {
		{ "https://a", "https://a/x?y", "/z", "https://a/z" },
		{ "https://a", "https://a:8/x", "//b/z", "https://b/z" },
		{ "https://a", "https://a/x", "https://c/", "https://c/" },
		{ "http://localhost", "http://localhost/x",
		  "http://127.0.0.1:9/", "http://127.0.0.1:9/" },
		{ "http://localhost", "http://localhost/x", "https://a/",
		  "https://a/" },
		{ "https://a", "https://a", "http://localhost/", NULL },
		{ "http://localhost", "http://localhost", "http://a/", NULL },
		{ "https://a", "https://a", "ftp://b/", NULL },
		{ "https://a", "https://a", "file:///etc/passwd", NULL },
		{ "https://a", "https://a", "https://u:p@b/", NULL },
		{ "https://a", "https://a", "https://b/\n", NULL },
		{ "https://a", "https://a", "x", NULL },
		{ "https://a", "https://a", "", NULL },
		{ "https://a", "https://", "/x", NULL },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str to;
		bool ok = io_url_redirect(&arena, str_from(cases[i].first),
		    str_from(cases[i].from), str_from(cases[i].location),
		    &to);
		if (ok != (cases[i].to != NULL))
			fail_msg("%s: %d", cases[i].location, ok);
		if (ok)
			check_text(cases[i].location, to, cases[i].to);
	}
	arena_release(&arena);
}

static void
test_io_url_says_why_a_base_is_none(void **state)
{
	static const struct {
		const char *value, *why;		/* NULL: it is one */
	} cases[] = {
		{ "https://a.b", NULL }, { "https://a.b/v3///", NULL },
		{ "http://127.0.0.1:8", NULL },
		{ "a.b", "not a URL such as https://api.example.com" },
		{ "https://a b", "not a URL such as https://api.example.com" },
		{ "https://a.b?c", "a base URL has no query and no fragment" },
		{ "https://a.b#c", "a base URL has no query and no fragment" },
		{ "https://u:p@a.b", "a URL is no place for a password" },
		{ "http://a.b", "plain http is for loopback hosts only; use "
		  "https" },
		{ "ftp://a.b", "only https is spoken" },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str out, why = {0};
		struct io_url_cloud cloud;
		bool ok = io_url_github(&arena, str_from(cases[i].value),
		    &out, &why);
		if (ok != (cases[i].why == NULL))
			fail_msg("%s: %d", cases[i].value, ok);
		if (!ok)
			check_text(cases[i].value, why, cases[i].why);
		assert_int_equal(io_url_cloud(&arena,
		    str_from(cases[i].value), &cloud, &why), ok);
	}
	arena_release(&arena);
}

static void
test_io_url_goes_by_proxy_but_where_told_not_to(void **state)
{
	static const struct {
		const char *except, *host;
		bool by;
	} cases[] = {
		{ "", "a.b", true }, { "a.b", "a.b", false },
		{ "b", "a.b", false }, { ".b", "a.b", false },
		{ "b", "ab", true }, { "a.b.c", "b.c", true },
		{ "x, A.B ,y", "a.b", false }, { "*", "a.b", false },
		{ "a.b:443", "a.b", false }, { "::1:2", "a.b", true },
		{ ",", "a.b", true }, { ".", "a.b", true },
		{ "", "localhost", false }, { "", "127.0.0.1", false },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++)
		if ((io_url_proxy(STR("http://p"), str_from(cases[i].except),
		    str_from(cases[i].host)).data != NULL) != cases[i].by)
			fail_msg("%s %s", cases[i].except, cases[i].host);
	assert_null(io_url_proxy((struct str){0}, STR(""), STR("a")).data);
	check_text("shown", io_url_shown(&arena, STR("https://u:p@a/b")),
	    "https://(secret)@a/b");
	check_text("shown", io_url_shown(&arena, STR("https://a/b@c")),
	    "https://a/b@c");
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_io_url_host_is_what_stands_between),
		cmocka_unit_test(test_io_url_loopback_is_this_machine_alone),
		cmocka_unit_test(
		    test_io_url_same_origin_by_scheme_host_and_port),
		cmocka_unit_test(test_io_url_goes_on_where_it_is_safe),
		cmocka_unit_test(test_io_url_says_why_a_base_is_none),
		cmocka_unit_test(
		    test_io_url_goes_by_proxy_but_where_told_not_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
