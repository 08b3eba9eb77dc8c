/* test_github.c - requests as text, answers as values */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "github_answers.h"

/* ------------------------------------------------------------ encode ---- */

static struct http_request
encode(struct arena *arena, struct github_request request)
{
	struct http_request http;
	github_rest.encode(arena, &request, &http);
	assert_int_equal(http.host, HOST_GITHUB);
	assert_int_equal(http.effect, github_op_changes(request.op));
	assert_true(http.timeout_ms > 0 && http.max_body > 0);
	return http;
}

static void
test_github_encode_knows_every_path(void **state)
{
	static const struct {
		enum github_op op;
		enum http_method method;
		const char *repository, *organization;
	} rows[] = {
		{ GITHUB_LIST_RUNNERS, HTTP_GET,
		    "/repos/acme/model/actions/runners?per_page=100",
		    "/orgs/acme/actions/runners?per_page=100" },
		{ GITHUB_FIND_RUNNER, HTTP_GET,
		    "/repos/acme/model/actions/runners?name=a%20b&"
		    "per_page=100",
		    "/orgs/acme/actions/runners?name=a%20b&per_page=100" },
		{ GITHUB_GET_RUNNER, HTTP_GET,
		    "/repos/acme/model/actions/runners/23",
		    "/orgs/acme/actions/runners/23" },
		{ GITHUB_JIT, HTTP_POST,
		    "/repos/acme/model/actions/runners/generate-jitconfig",
		    "/orgs/acme/actions/runners/generate-jitconfig" },
		{ GITHUB_REGISTRATION_TOKEN, HTTP_POST,
		    "/repos/acme/model/actions/runners/registration-token",
		    "/orgs/acme/actions/runners/registration-token" },
		{ GITHUB_SET_LABELS, HTTP_PUT,
		    "/repos/acme/model/actions/runners/23/labels",
		    "/orgs/acme/actions/runners/23/labels" },
		{ GITHUB_DELETE_RUNNER, HTTP_DELETE,
		    "/repos/acme/model/actions/runners/23",
		    "/orgs/acme/actions/runners/23" },
		{ GITHUB_DOWNLOADS, HTTP_GET,
		    "/repos/acme/model/actions/runners/downloads",
		    "/orgs/acme/actions/runners/downloads" },
		{ GITHUB_DEPRECATION, HTTP_GET,
		    "/repos/acme/model/actions/runners/deprecations/2.336.0",
		    "/orgs/acme/actions/runners/deprecations/2.336.0" },
		{ GITHUB_LIST_GROUPS, HTTP_GET, NULL,
		    "/orgs/acme/actions/runner-groups?per_page=100" },
		{ GITHUB_GET_REPOSITORY, HTTP_GET, "/repos/acme/model", NULL },
	};
	struct arena arena = {0};
	(void)state;

	_Static_assert(COUNTOF(rows) == GITHUB_OP_COUNT, "every op");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct github_request request = {
			.op = rows[i].op, .id = 23, .name = STR("a b"),
			.version = STR("2.336.0"),
		};
		if (rows[i].repository != NULL) {
			request.scope = model;
			struct http_request http = encode(&arena, request);
			assert_int_equal(http.method, rows[i].method);
			assert_str(http.path, rows[i].repository);
		}
		if (rows[i].organization != NULL) {
			request.scope = acme;
			struct http_request http = encode(&arena, request);
			assert_int_equal(http.method, rows[i].method);
			assert_str(http.path, rows[i].organization);
		}
	}
	arena_release(&arena);
}

static void
test_github_encode_lets_no_name_leave_its_segment(void **state)
{
	struct arena arena = {0};
	struct github_scope odd = { .repository = STR("a?b#/..") };
	(void)state;

	assert_str(encode(&arena, (struct github_request){
		.op = GITHUB_GET_REPOSITORY, .scope = odd }).path,
	    "/repos/a%3Fb%23/%2E%2E");
	odd.repository = STR("acme/x/../../user");
	assert_str(encode(&arena, (struct github_request){
		.op = GITHUB_GET_REPOSITORY, .scope = odd }).path,
	    "/repos/acme/x%2F..%2F..%2Fuser");
	assert_str(encode(&arena, (struct github_request){
		.op = GITHUB_FIND_RUNNER, .scope = acme,
		.name = STR("x&page=2\xc3\xa9") }).path,
	    "/orgs/acme/actions/runners?name=x%26page%3D2%C3%A9&"
	    "per_page=100");
	arena_release(&arena);
}

static void
test_github_encode_of_bodies(void **state)
{
	static const struct str labels[] = {
		STR_INIT("self-hosted"), STR_INIT("gpu \"x\""),
	};
	struct arena arena = {0};
	struct github_request request = {
		.op = GITHUB_JIT, .scope = model, .name = STR("r-1"),
		.labels = labels, .nlabels = 2,
	};
	(void)state;

	assert_str(encode(&arena, request).body,
	    "{\"name\":\"r-1\",\"runner_group_id\":1,"
	    "\"labels\":[\"self-hosted\",\"gpu \\\"x\\\"\"]}");
	request.group_id = 9;
	request.scope = acme;
	assert_true(str_search(encode(&arena, request).body,
	    STR("\"runner_group_id\":9,")) > 0);
	request.op = GITHUB_SET_LABELS;
	request.nlabels = 0;
	assert_str(encode(&arena, request).body, "{\"labels\":[]}");
	request.op = GITHUB_REGISTRATION_TOKEN;
	assert_true(encode(&arena, request).body.data == NULL);
	arena_release(&arena);
}

static void
test_github_encode_asks_for_the_page_that_was_named(void **state)
{
	struct arena arena = {0};
	(void)state;

	assert_str(encode(&arena, (struct github_request){
		.op = GITHUB_LIST_RUNNERS, .scope = acme,
		.cursor = STR("https://api.github.com/organizations/7/"
		    "actions/runners?per_page=100&page=2") }).path,
	    "https://api.github.com/organizations/7/actions/runners?"
	    "per_page=100&page=2");
	arena_release(&arena);
}

/* ------------------------------------------------------------ decode ---- */

static void
test_github_decode_reads_a_runner(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct github_answer answer = decode(&arena, GITHUB_GET_RUNNER, 200,
	    RUNNER);

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.reason, REASON_NONE);
	assert_int_equal(answer.nrunners, 1);
	const struct github_runner *runner = answer.runners;
	assert_int_equal(runner->id, 23);
	assert_str(runner->name, "pod-ab12");
	assert_str(runner->os, "Linux");
	assert_str(runner->version, "2.336.0");
	assert_true(runner->online && runner->busy && runner->ephemeral &&
	    runner->ephemeral_known);
	assert_int_equal(runner->group_id, 1);
	assert_int_equal(runner->nlabels, 2);
	assert_str(runner->labels[0], "self-hosted");
	assert_str(runner->labels[1], "gpu-h100");
	arena_release(&arena);
}

static void
test_github_decode_tolerates_what_it_does_not_know(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct github_answer answer = decode(&arena, GITHUB_LIST_RUNNERS, 200,
	    "{\"total_count\":3,\"extra\":[{}],\"runners\":["
	    "{\"id\":9007199254740993,\"name\":\"\\u00e9 x\","
	    "\"os\":\"unknown\",\"status\":\"sleeping\",\"busy\":false,"
	    "\"labels\":[],\"version\":null,\"runner_group_id\":null},"
	    "{\"id\":2,\"name\":\"b\",\"os\":null,\"status\":\"OFFLINE\","
	    "\"busy\":false,\"labels\":[{\"name\":\"q\",\"new\":1}]}]}");

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.total, 3);
	assert_int_equal(answer.nrunners, 2);
	assert_true(answer.runners[0].id == INT64_C(9007199254740993));
	assert_str(answer.runners[0].name, "\xc3\xa9 x");
	assert_false(answer.runners[0].online);
	assert_true(answer.runners[0].version.data == NULL);
	assert_false(answer.runners[0].ephemeral_known);
	assert_false(answer.runners[1].online);
	assert_true(answer.runners[1].os.data == NULL);
	assert_true(answer.next_cursor.data == NULL);
	arena_release(&arena);
}

static void
test_github_decode_of_half_a_listing_is_none(void **state)
{
	static const char *const bodies[] = {
		"", "null", "[]", "{}", "{\"runners\":null}",
		"{\"total_count\":0}", "{\"runners\":{}}",
		"{\"total_count\":1,\"runners\":[", "<html>hello</html>",
		"{\"runners\":[{\"id\":1,\"id\":2,\"name\":\"a\","
		"\"status\":\"online\",\"busy\":false,\"labels\":[]}]}",
		"{\"runners\":[{\"id\":1,\"name\":\"a\","
		"\"status\":\"online\",\"labels\":[]}]}",
		"{\"runners\":[{\"id\":1,\"name\":\"a\","
		"\"status\":\"online\",\"busy\":\"no\",\"labels\":[]}]}",
		"{\"runners\":[{\"id\":0,\"name\":\"a\","
		"\"status\":\"online\",\"busy\":true,\"labels\":[]}]}",
		"{\"runners\":[{\"id\":1,\"name\":\"\","
		"\"status\":\"online\",\"busy\":true,\"labels\":[]}]}",
		"{\"runners\":[{\"id\":1,\"name\":\"a\","
		"\"status\":\"online\",\"busy\":true}]}",
		"{\"runners\":[" RUNNER "," RUNNER "]}",
		"{\"runners\":[7]}",
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(bodies); i++) {
		struct github_answer answer = decode(&arena,
		    GITHUB_LIST_RUNNERS, 200, bodies[i]);
		assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
		assert_int_equal(answer.reason, REASON_MALFORMED);
		assert_int_equal(answer.nrunners, 0);
		assert_true(answer.message.len > 0);
	}
	arena_release(&arena);
}

static void
test_github_decode_of_a_search_keeps_the_name(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct github_answer answer = decode(&arena, GITHUB_FIND_RUNNER, 200,
	    "{\"total_count\":2,\"runners\":[{\"id\":1,\"name\":\"other\","
	    "\"status\":\"online\",\"busy\":false,\"labels\":[]},"
	    "{\"id\":2,\"name\":\"POD-ab12\",\"status\":\"offline\","
	    "\"busy\":false,\"labels\":[]}]}");

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.nrunners, 1);
	assert_int_equal(answer.runners[0].id, 2);
	answer = decode(&arena, GITHUB_FIND_RUNNER, 200,
	    "{\"total_count\":0,\"runners\":[]}");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.nrunners, 0);
	arena_release(&arena);
}

static void
test_github_decode_refuses_another_runner(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct github_answer answer = decode(&arena, GITHUB_GET_RUNNER, 200,
	    "{\"id\":24,\"name\":\"x\",\"status\":\"online\",\"busy\":false,"
	    "\"labels\":[]}");

	assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(answer.reason, REASON_MALFORMED);
	arena_release(&arena);
}

static void
test_github_decode_reads_a_jit_configuration(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct github_answer answer = decode(&arena, GITHUB_JIT, 201,
	    "{\"runner\":" RUNNER ",\"encoded_jit_config\":\"eyJh+/==\"}");

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.nrunners, 1);
	assert_int_equal(answer.runners[0].id, 23);
	assert_str(answer.jit, "eyJh+/==");
	arena_release(&arena);
}

/* It may have registered: never "without effect", and not a word of it in
 * the message. */
static void
test_github_decode_of_an_odd_jit_answer_is_unknown(void **state)
{
	struct strbuf big = {0};
	struct arena arena = {0};
	(void)state;

	strbuf_adds(&big, "{\"runner\":" RUNNER ",\"encoded_jit_config\":\"");
	strbuf_pad(&big, 64 * 1024 + 1, 'A');
	strbuf_adds(&big, "\"}");
	const char *bodies[] = {
		"", "{}", "{\"encoded_jit_config\":\"SECRETSECRET\"}",
		"{\"runner\":" RUNNER "}",
		"{\"runner\":" RUNNER ",\"encoded_jit_config\":\"\"}",
		"{\"runner\":" RUNNER
		",\"encoded_jit_config\":\"SECRET SECRET\"}",
		"{\"runner\":{\"id\":1,\"name\":\"stranger\","
		"\"status\":\"offline\",\"busy\":false,\"labels\":[]},"
		"\"encoded_jit_config\":\"SECRETSECRET\"}",
		big.data,
	};
	for (size_t i = 0; i < COUNTOF(bodies); i++) {
		struct github_answer answer = decode(&arena, GITHUB_JIT, 201,
		    bodies[i]);
		assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
		assert_int_equal(answer.reason, REASON_MALFORMED);
		assert_true(answer.jit.data == NULL);
		assert_true(str_search(answer.message, STR("SECRET")) < 0);
		assert_true(str_search(answer.message, STR("AAAA")) < 0);
	}
	strbuf_release(&big);
	arena_release(&arena);
}

static void
test_github_decode_reads_times_with_offsets(void **state)
{
	static const struct {
		const char *text;
		int64_t wall_ms;
	} rows[] = {
		{ "2026-09-20T13:35:12.123-07:00", INT64_C(1789936512123) },
		{ "2026-09-20T20:35:12Z", INT64_C(1789936512000) },
		{ "2026-09-21T02:05:12.5+05:30", INT64_C(1789936512500) },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct str body = arena_printf(&arena, "{\"token\":"
		    "\"AABF3JGZDX3P5PMEXLND6TS6FCWO6\","
		    "\"expires_at\":\"%s\"}", rows[i].text);
		struct github_answer answer = decode(&arena,
		    GITHUB_REGISTRATION_TOKEN, 201, body.data);
		assert_int_equal(answer.outcome, OUTCOME_OK);
		assert_str(answer.token, "AABF3JGZDX3P5PMEXLND6TS6FCWO6");
		assert_true(answer.token_ends_ms == rows[i].wall_ms);
	}
	assert_int_equal(decode(&arena, GITHUB_REGISTRATION_TOKEN, 201,
	    "{\"token\":\"a b\"}").reason, REASON_MALFORMED);
	assert_int_equal(decode(&arena, GITHUB_REGISTRATION_TOKEN, 201,
	    "{\"token\":\"ab\",\"expires_at\":\"soon\"}").reason,
	    REASON_MALFORMED);
	arena_release(&arena);
}

#define DIGEST "0123456789abcdef0123456789ABCDEF" \
	"0123456789abcdef0123456789abcdef"

static void
test_github_decode_reads_packages_for_this_machine(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct github_answer answer = decode(&arena, GITHUB_DOWNLOADS, 200,
	    "[{\"os\":\"osx\",\"architecture\":\"x64\"},"
	    "{\"os\":\"linux\",\"architecture\":\"arm64\"},"
	    "{\"os\":\"linux\",\"architecture\":\"x64\","
	    "\"download_url\":\"https://example.com/a.tar.gz\","
	    "\"filename\":\"actions-runner-linux-x64-2.336.0.tar.gz\","
	    "\"sha256_checksum\":\"" DIGEST "\","
	    "\"temp_download_token\":\"t0k\"},"
	    "{\"os\":\"Linux\",\"architecture\":\"X64\","
	    "\"download_url\":\"https://example.com/b.tar.gz\","
	    "\"filename\":\"actions-runner-linux-x64-2.335.1.tar.gz\","
	    "\"sha256_checksum\":null}]");

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.npackages, 2);
	assert_str(answer.packages[0].version, "2.336.0");
	assert_str(answer.packages[0].url, "https://example.com/a.tar.gz");
	assert_str(answer.packages[0].sha256,
	    "0123456789abcdef0123456789abcdef"
	    "0123456789abcdef0123456789abcdef");
	assert_str(answer.packages[0].token, "t0k");
	assert_str(answer.packages[1].version, "2.335.1");
	assert_true(answer.packages[1].sha256.data == NULL);
	assert_true(answer.packages[1].token.data == NULL);
	arena_release(&arena);
}

static void
test_github_decode_refuses_odd_packages(void **state)
{
	static const struct {
		const char *filename, *url, *digest;
	} rows[] = {
		{ "../../etc/passwd", "https://x/a", DIGEST },
		{ "actions-runner-linux-x64-../x.tar.gz", "https://x/a",
		    DIGEST },
		{ "actions-runner-linux-x64-.tar.gz", "https://x/a", DIGEST },
		{ "actions-runner-linux-x64-2..1.tar.gz", "https://x/a",
		    DIGEST },
		{ "actions-runner-linux-x64-2.1.tar.gz", "file:///etc/passwd",
		    DIGEST },
		{ "actions-runner-linux-x64-2.1.tar.gz", "https://x/a b",
		    DIGEST },
		{ "actions-runner-linux-x64-2.1.tar.gz", "https://x/a",
		    "abcd" },
		{ "actions-runner-linux-x64-2.1.tar.gz", "https://x/a",
		    "zz23456789abcdef0123456789abcdef"
		    "0123456789abcdef0123456789abcdef" },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct str body = arena_printf(&arena, "[{\"os\":\"linux\","
		    "\"architecture\":\"x64\",\"filename\":\"%s\","
		    "\"download_url\":\"%s\",\"sha256_checksum\":\"%s\"}]",
		    rows[i].filename, rows[i].url, rows[i].digest);
		struct github_answer answer = decode(&arena, GITHUB_DOWNLOADS,
		    200, body.data);
		assert_int_equal(answer.reason, REASON_MALFORMED);
		assert_int_equal(answer.npackages, 0);
	}
	arena_release(&arena);
}

static void
test_github_decode_of_a_versions_end(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct github_answer answer = decode(&arena, GITHUB_DEPRECATION, 200,
	    "{\"runner_version\":\"2.335.1\","
	    "\"registration_deprecates_at\":null,"
	    "\"runtime_deprecates_at\":\"2026-09-24T00:00:00Z\"}");

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_true(answer.registration_ends.data == NULL);
	assert_str(answer.runtime_ends, "2026-09-24T00:00:00Z");
	/* Where the service does not offer it there is nothing to know. */
	answer = decode(&arena, GITHUB_DEPRECATION, 404,
	    "{\"message\":\"Not Found\",\"status\":\"404\"}");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_true(answer.runtime_ends.data == NULL);
	answer = decode(&arena, GITHUB_DEPRECATION, 404, "<html>");
	assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
	arena_release(&arena);
}

static void
test_github_decode_of_groups_and_a_repository(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct github_answer answer = decode(&arena, GITHUB_LIST_GROUPS, 200,
	    "{\"total_count\":2,\"runner_groups\":[{\"id\":1,\"name\":"
	    "\"Default\",\"default\":true,\"visibility\":\"all\"},"
	    "{\"id\":7,\"name\":\"gpu\",\"default\":false,"
	    "\"allows_public_repositories\":true}]}");

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.ngroups, 2);
	assert_true(answer.groups[0].is_default);
	assert_false(answer.groups[0].allows_public);
	assert_int_equal(answer.groups[1].id, 7);
	assert_true(answer.groups[1].allows_public);
	answer = decode(&arena, GITHUB_GET_REPOSITORY, 200,
	    "{\"id\":1,\"private\":true}");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_true(answer.is_private);
	/* A guess would let strangers in. */
	answer = decode(&arena, GITHUB_GET_REPOSITORY, 200, "{\"id\":1}");
	assert_int_equal(answer.reason, REASON_MALFORMED);
	arena_release(&arena);
}

/* ------------------------------------------------------------- pages ---- */

static struct github_answer
decode_page(struct arena *arena, const char *cursor, const char *link)
{
	return decode_http(arena, (struct github_request){
		.op = GITHUB_LIST_RUNNERS, .cursor = str_from(cursor) },
	    (struct http_answer){ .outcome = HTTP_ANSWERED, .status = 200,
		.body = STR("{\"total_count\":201,\"runners\":[]}"),
		.link = str_from(link) });
}

#define PAGE(n) "https://api.github.com/organizations/7/actions/runners?" \
	"per_page=100&page=" #n

static void
test_github_pages_follow_the_link_as_it_stands(void **state)
{
	struct arena arena = {0};
	(void)state;

	assert_str(decode_page(&arena, NULL,
	    "<" PAGE(2) ">; rel=\"next\", <" PAGE(3) ">; rel=\"last\"")
	    .next_cursor, PAGE(2));
	assert_str(decode_page(&arena, PAGE(2),
	    "<" PAGE(1) ">; rel=\"prev\", <" PAGE(3) ">; title=\"a, b; c\"; "
	    "rel=\"last next\"").next_cursor, PAGE(3));
	assert_str(decode_page(&arena, NULL, "</x?a=1,2;3&after=Q>;rel=next")
	    .next_cursor, "/x?a=1,2;3&after=Q");
	assert_true(decode_page(&arena, PAGE(3),
	    "<" PAGE(1) ">; rel=\"first\"").next_cursor.data == NULL);
	assert_true(decode_page(&arena, PAGE(3), NULL).next_cursor.data ==
	    NULL);
	arena_release(&arena);
}

static void
test_github_pages_that_lead_nowhere_are_no_listing(void **state)
{
	static const struct {
		const char *cursor, *link;
	} rows[] = {
		{ PAGE(2), "<" PAGE(2) ">; rel=\"next\"" },
		{ PAGE(3), "<" PAGE(2) ">; rel=\"next\"" },
		{ "/x?after=Q", "</x?after=Q>; rel=\"next\"" },
		{ NULL, "<" PAGE(1001) ">; rel=\"next\"" },
		{ NULL, "<" PAGE(99999999999999999999) ">; rel=\"next\"" },
		{ NULL, "<" PAGE(2) "; rel=\"next\"" },
		{ NULL, PAGE(2) "; rel=\"next\"" },
		{ NULL, "<page=2>; rel=\"next\"" },
		{ NULL, "<>; rel=\"next\"" },
		{ NULL, "<https://x/\xff>; rel=\"next\"" },
		{ NULL, "<" PAGE(2) ">; rel=\"next\", <" PAGE(3)
		    ">; rel=\"next\"" },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct github_answer answer = decode_page(&arena,
		    rows[i].cursor, rows[i].link);
		assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
		assert_int_equal(answer.reason, REASON_MALFORMED);
		assert_true(answer.next_cursor.data == NULL);
	}
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_github_encode_knows_every_path),
		cmocka_unit_test(
		    test_github_encode_lets_no_name_leave_its_segment),
		cmocka_unit_test(test_github_encode_of_bodies),
		cmocka_unit_test(
		    test_github_encode_asks_for_the_page_that_was_named),
		cmocka_unit_test(test_github_decode_reads_a_runner),
		cmocka_unit_test(
		    test_github_decode_tolerates_what_it_does_not_know),
		cmocka_unit_test(test_github_decode_of_half_a_listing_is_none),
		cmocka_unit_test(
		    test_github_decode_of_a_search_keeps_the_name),
		cmocka_unit_test(test_github_decode_refuses_another_runner),
		cmocka_unit_test(test_github_decode_reads_a_jit_configuration),
		cmocka_unit_test(
		    test_github_decode_of_an_odd_jit_answer_is_unknown),
		cmocka_unit_test(test_github_decode_reads_times_with_offsets),
		cmocka_unit_test(
		    test_github_decode_reads_packages_for_this_machine),
		cmocka_unit_test(test_github_decode_refuses_odd_packages),
		cmocka_unit_test(test_github_decode_of_a_versions_end),
		cmocka_unit_test(
		    test_github_decode_of_groups_and_a_repository),
		cmocka_unit_test(
		    test_github_pages_follow_the_link_as_it_stands),
		cmocka_unit_test(
		    test_github_pages_that_lead_nowhere_are_no_listing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
