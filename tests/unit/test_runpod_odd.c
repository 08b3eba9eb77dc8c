/*
 * test_runpod_odd.c - answers of RunPod that are not what they should be, by
 * table: of each, what is wrong with it, or what it means all the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cloud/runpod/classify.h"
#include "cloud/runpod/ops.h"
#include "cloud/runpod/runpod.h"

static struct cloud_answer
decode(struct arena *arena, enum cloud_op op, const char *body)
{
	struct cloud_request request = { .op = op, .id = STR("p1") };
	struct http_answer http = {
		.outcome = HTTP_ANSWERED, .status = ops_rows[op].success,
		.body = str_from(body),
	};
	struct cloud_answer answer;

	runpod.decode(arena, &request, &http, 0, &answer);
	return answer;
}

static void
check_text(const char *of, struct str actual, const char *expected)
{
	if (!str_is(actual, expected))
		fail_msg("%s: '%.*s', not '%s'", of, (int)actual.len,
		    actual.data, expected);
}

/* A pod, in which a part stands for what is usual there. */
#define POD(id, env, gpu, cloud, mounts, more) \
	"{\"id\":\"" id "\",\"name\":\"n\",\"status\":\"RUNNING\"," \
	"\"image\":\"i\",\"args\":\"\",\"disk\":50,\"ports\":[]," \
	"\"mounts\":" mounts ",\"env\":" env ",\"gpu\":" gpu "," \
	"\"cloud\":" cloud more "}"
#define PLAIN(more) POD("p1", "{}", "null", "\"SECURE\"", "{}", more)
#define PORT(host) PLAIN(",\"ssh\":{\"direct\":{\"host\":\"" host \
	"\",\"port\":22}}")
#define VOLUME(more) "{\"id\":\"p1\",\"name\":\"n\",\"size\":5," more "}"
#define GPU(id, more) "{\"gpus\":[{\"id\":\"" id "\",\"name\":\"n\"," \
	"\"memory\":48,\"secure\":true,\"community\":false" more "}]}"
#define TEN "xxxxxxxxxx"
#define FIFTY TEN TEN TEN TEN TEN
#define ME(more) "{\"data\":{\"myself\":{\"id\":\"u\"" more "}}}"

static void
test_runpod_an_odd_answer_is_none_and_says_why(void **state)
{
	static const struct {
		enum cloud_op op;
		const char *body, *why;
	} cases[] = {
		{ CLOUD_LIST_VOLUMES, "{}", "answer.networkVolumes: missing" },
		{ CLOUD_LIST_VOLUMES, "{\"networkVolumes\":[7]}",
		  "answer: volume expected" },
		{ CLOUD_LIST_VOLUMES, "{\"networkVolumes\":[],"
		  "\"pagination\":{\"hasNextPage\":true}}",
		  "answer.nextCursor: cursor expected" },
		{ CLOUD_GET_VOLUME, VOLUME("\"dataCenter\":\"a/b\""),
		  "answer.dataCenter: id expected" },
		{ CLOUD_GET_VOLUME, VOLUME("\"type\":\"x\""),
		  "answer.dataCenter: missing" },
		{ CLOUD_GET_VOLUME, "{\"id\":\"p2\",\"name\":\"n\","
		  "\"size\":5,\"dataCenter\":\"EU\"}",
		  "answer.id: the volume that was asked for expected" },
		{ CLOUD_UPDATE_VOLUME, "{\"id\":\"p2\",\"name\":\"n\","
		  "\"size\":5,\"dataCenter\":\"EU\"}",
		  "answer.id: the volume that was asked for expected" },
		{ CLOUD_CREATE_VOLUME, "[]", "answer: volume expected" },
		{ CLOUD_LIST_GPUS, "{}", "answer.gpus: missing" },
		{ CLOUD_LIST_GPUS, "{\"gpus\":[7]}",
		  "answer: gpu type expected" },
		{ CLOUD_LIST_GPUS, GPU("", ""),
		  "answer.id: gpu id expected" },
		{ CLOUD_LIST_GPUS, GPU(FIFTY FIFTY TEN TEN "123456789", ""),
		  "answer.id: gpu id expected" },
		{ CLOUD_LIST_GPUS, GPU("g", ",\"price\":{\"secure\":\"x\"}"),
		  "answer.secure: number from 0 to 1000000 expected" },
		{ CLOUD_LIST_GPUS, GPU("g", ",\"dataCenters\":[{},{}]"),
		  "answer.id: missing" },
		{ CLOUD_LIST_GPUS, GPU("g", ",\"cudaVersions\":[{},{}]"),
		  "answer.version: missing" },
		{ CLOUD_LIST_GPUS, "{\"gpus\":[{\"name\":\"n\"}]}",
		  "answer.id: missing" },
		{ CLOUD_LIST_DATA_CENTERS, "{}",
		  "answer.dataCenters: missing" },
		{ CLOUD_LIST_DATA_CENTERS, "{\"dataCenters\":[[],{}]}",
		  "answer: data center expected" },
		{ CLOUD_LIST_DATA_CENTERS,
		  "{\"dataCenters\":[{\"id\":\"E\",\"name\":\"n\","
		  "\"networkVolumeTypes\":7}]}",
		  "answer.networkVolumeTypes: array expected" },
		{ CLOUD_GET_SSH_KEYS, "{}", "answer.keys: missing" },
		{ CLOUD_GET_SSH_KEYS, "{\"keys\":[7,\"k\"]}",
		  "answer: string expected" },
		{ CLOUD_GET_SSH_KEYS, "{\"keys\":[\"\"]}",
		  "answer.keys: a key in one line expected" },
		{ CLOUD_GET_SSH_KEYS, "{\"keys\":[\"a\\nb\"]}",
		  "answer.keys: a key in one line expected" },
		{ CLOUD_GET_ACCOUNT, "{}", "answer.data: missing" },
		{ CLOUD_GET_ACCOUNT, "{\"data\":{}}",
		  "answer.myself: object expected" },
		{ CLOUD_GET_ACCOUNT, "{\"data\":{\"myself\":7}}",
		  "answer.myself: object expected" },
		{ CLOUD_GET_ACCOUNT, ME(",\"clientBalance\":\"5\""),
		  "answer.clientBalance: amount of money expected" },
		{ CLOUD_GET_ACCOUNT, ME(",\"clientBalance\":-1e99"),
		  "answer.clientBalance: amount of money expected" },
		{ CLOUD_GET_POD, POD("p2", "{}", "null", "\"SECURE\"", "{}",
		  ""), "answer.id: the pod that was asked for expected" },
		{ CLOUD_GET_POD, PLAIN(",\"dataCenterId\":\"a b\""),
		  "answer.dataCenterId: id expected" },
		{ CLOUD_GET_POD, POD("p1", "null", "null", "7", "{}", ""),
		  "answer.cloud: string expected" },
		{ CLOUD_GET_POD, POD("p1", "{}", "{}", "\"\"", "{}", ""),
		  "answer.id: missing" },
		{ CLOUD_GET_POD, POD("p1", "{\"A\":1,\"B\":2}", "null",
		  "\"\"", "{}", ""), "answer: string expected" },
		{ CLOUD_GET_POD, POD("p1", "{}", "null", "\"\"",
		  "{\"network\":[{\"path\":\"/x\"}]}", ""),
		  "answer.volumeId: missing" },
		{ CLOUD_GET_POD, POD("p1", "{}", "null", "\"\"",
		  "{\"persistent\":{\"size\":1}}", ""),
		  "answer.path: missing" },
		{ CLOUD_GET_POD, "{\"id\":\"p1\",\"name\":\"n\","
		  "\"status\":\"RUNNING\",\"image\":\"i\"}",
		  "answer.args: value expected" },
		{ CLOUD_GET_POD, PORT("-oProxyCommand=x"),
		  "answer.host: host name or address expected" },
		{ CLOUD_GET_POD, PORT(""),
		  "answer.host: host name or address expected" },
		{ CLOUD_GET_POD, PORT("a b"),
		  "answer.host: host name or address expected" },
		{ CLOUD_GET_POD, PORT(FIFTY FIFTY FIFTY FIFTY FIFTY "1234"),
		  "answer.host: host name or address expected" },
		};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct cloud_answer answer =
		    decode(&arena, cases[i].op, cases[i].body);
		check_text(cases[i].body, answer.message, cases[i].why);
		assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
		assert_int_equal(answer.reason, REASON_MALFORMED);
		arena_release(&arena);
	}
}

/* ------------------------------------- odd, and meaningful all the same ---- */

/* What is not known is not guessed, and what is new is passed over. */
static void
test_runpod_reads_what_may_be_missing(void **state)
{
	struct arena arena = {0};
	(void)state;

	struct cloud_answer answer = decode(&arena, CLOUD_GET_POD, PLAIN(
	    ",\"ssh\":{\"direct\":{\"host\":\"2001:db8::1\",\"port\":22,"
	    "\"username\":\"\"}},\"cost\":null,\"runtime\":{}"));
	assert_int_equal(answer.outcome, OUTCOME_OK);
	check_text("host", answer.pods[0].ssh.host, "2001:db8::1");
	check_text("user", answer.pods[0].ssh.user, "root");
	assert_int_equal(answer.pods[0].config.tier, TIER_SECURE);
	assert_false(answer.pods[0].cost_known);
	assert_false(answer.pods[0].has_runtime);

	answer = decode(&arena, CLOUD_GET_POD, POD("p1",
	    "{\"\\u0041\":\"1\"}", "{\"id\":\"g\"}", "\"MOON\"",
	    "{\"network\":[]}", ",\"ssh\":{\"direct\":null}"));
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.pods[0].config.tier, TIER_ANY);
	assert_int_equal(answer.pods[0].config.gpu_count, 1);
	assert_null(answer.pods[0].config.volume_id.data);
	assert_null(answer.pods[0].ssh.host.data);
	check_text("name", answer.pods[0].config.env[0].name, "A");

	answer = decode(&arena, CLOUD_LIST_GPUS, GPU("unknown", ""));
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.ngpus, 0);
	answer = decode(&arena, CLOUD_LIST_GPUS, GPU("g",
	    ",\"availability\":\"Plenty\",\"price\":{\"secure\":null,"
	    "\"community\":0.5}"));
	assert_int_equal(answer.ngpus, 1);
	assert_int_equal(answer.gpus[0].stock, STOCK_UNKNOWN);
	assert_int_equal(answer.gpus[0].secure_price, -1);
	/* Not offered there: a placeholder. */
	assert_int_equal(answer.gpus[0].community_price, -1);

	answer = decode(&arena, CLOUD_LIST_DATA_CENTERS, "{\"dataCenters\":["
	    "{\"id\":\"E\",\"name\":\"n\",\"networkVolumeTypes\":[]},"
	    "{\"id\":\"F\",\"name\":\"n\"},"
	    "{\"id\":\"G\",\"name\":\"n\",\"networkVolumeTypes\":[\"S\"]}]}");
	assert_int_equal(answer.ndata_centers, 3);
	assert_false(answer.data_centers[0].volumes);
	assert_false(answer.data_centers[1].volumes);
	assert_true(answer.data_centers[2].volumes);

	answer = decode(&arena, CLOUD_LIST_VOLUMES, "{\"networkVolumes\":[],"
	    "\"pagination\":{\"nextCursor\":\"c\"}}");
	check_text("cursor", answer.next_cursor, "c");
	answer = decode(&arena, CLOUD_LIST_VOLUMES, "{\"networkVolumes\":[],"
	    "\"pagination\":{}}");
	assert_null(answer.next_cursor.data);

	answer = decode(&arena, CLOUD_GET_SSH_KEYS,
	    "{\"keys\":[\" ssh-ed25519\\tAAAA me \"]}");
	assert_int_equal(answer.nssh_keys, 1);
	check_text("key", answer.ssh_keys[0], "ssh-ed25519\tAAAA me");
	arena_release(&arena);
}

static void
test_runpod_reads_each_kind_of_account(void **state)
{
	static const struct {
		const char *body;
		enum cloud_outcome outcome;
		enum cloud_reason reason;
		const char *message;
		bool known;
		int64_t balance;
	} cases[] = {
		{ ME(""), OUTCOME_OK, REASON_NONE, "", false, 0 },
		{ ME(",\"clientBalance\":null"), OUTCOME_OK, REASON_NONE, "",
		  false, 0 },
		{ ME(",\"clientBalance\":1.5"), OUTCOME_OK, REASON_NONE, "",
		  true, 1500000 },
		{ ME(",\"clientBalance\":-0.25"), OUTCOME_OK, REASON_NONE, "",
		  true, -250000 },
		{ "{\"data\":{\"myself\":null}}", OUTCOME_NO_EFFECT,
		  REASON_AUTH, "the key belongs to no account", false, 0 },
		{ "{\"errors\":[{\"message\":\"UNAUTHORIZED\"}]}",
		  OUTCOME_NO_EFFECT, REASON_AUTH, "UNAUTHORIZED", false, 0 },
		{ "{\"errors\":[{\"message\":\"oops\"}],\"data\":{\"myself\":"
		  "{\"id\":\"u\"}}}", OUTCOME_UNKNOWN, REASON_TRANSIENT,
		  "oops", false, 0 },
		{ "{\"errors\":[]}", OUTCOME_UNKNOWN, REASON_TRANSIENT,
		  "unknown error", false, 0 },
		{ "{\"errors\":[{}]}", OUTCOME_UNKNOWN, REASON_TRANSIENT,
		  "unknown error", false, 0 },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct cloud_answer answer =
		    decode(&arena, CLOUD_GET_ACCOUNT, cases[i].body);
		check_text(cases[i].body, answer.message, cases[i].message);
		assert_int_equal(answer.outcome, cases[i].outcome);
		assert_int_equal(answer.reason, cases[i].reason);
		assert_int_equal(answer.account.balance_known,
		    cases[i].known);
		assert_int_equal(answer.account.balance, cases[i].balance);
		arena_release(&arena);
	}
}

/* --------------------------------------------------------------- refusals ---- */

static void
test_runpod_believes_a_refusal_only_when_it_is_one(void **state)
{
	static const struct {
		const char *body, *message;	/* NULL: not proven */
	} cases[] = {
		{ "{\"status\":400,\"detail\":\"no\"}", "no" },
		{ "{\"error\":\"no\"}", "no" },
		{ "{\"title\":\"no\",\"message\":\"because\"}", "because" },
		{ "{\"detail\":7,\"title\":\"no\"}", "no" },
		{ "{\"errors\":[\"a\",{\"message\":\"b\"},{},\"\",\"c\"]}",
		  "a; b; c" },
		{ "{\"errors\":[{\"message\":7}]}", "" },
		{ "{\"title\":\"t\",\"errors\":{\"a\":1}}", "t" },
		/* Of another status, a thing, or nothing of the kind. */
		{ "{\"status\":404,\"detail\":\"no\"}", NULL },
		{ "{\"status\":\"400\",\"detail\":\"no\"}", NULL },
		{ "{\"status\":400.5,\"detail\":\"no\"}", NULL },
		{ "{\"id\":\"p\",\"detail\":\"no\"}", NULL },
		{ "[{\"detail\":\"no\"}]", NULL }, { "[]", NULL },
		{ "{\"errors\":[]}", NULL }, { "{}", NULL },
		{ "{\"detail\":", NULL }, { "", NULL },
		{ "\"no\"", NULL }, { "{\"detail\":null}", NULL },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct classify_problem problem = classify_read_problem(
		    &arena, str_from(cases[i].body), 400);
		if (problem.proven != (cases[i].message != NULL))
			fail_msg("%s: %d", cases[i].body, problem.proven);
		if (problem.proven)
			check_text(cases[i].body, problem.message,
			    cases[i].message);
		arena_release(&arena);
	}
}

/* Every word of the list counts, wherever and however it is written. */
static void
test_runpod_knows_capacity_from_its_words_alone(void **state)
{
	static const struct {
		const char *text;
		bool says;
	} cases[] = {
		{ "There are no longer any instances available", true },
		{ "THERE ARE NO suitable INSTANCES currently AVAILABLE",
		  true },
		{ "there are no instances", false },
		{ "there are no pods available", false },
		{ "instances are available", false },
		{ "", false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++)
		if (classify_says_no_capacity(str_from(cases[i].text)) !=
		    cases[i].says)
			fail_msg("%s", cases[i].text);
}

static void
test_runpod_reads_windows_that_are_odd(void **state)
{
	static const struct {
		const char *header;
		int64_t left, reset_ms;
	} cases[] = {
		{ "", -1, 0 }, { ",,", -1, 0 }, { "\"m\"", -1, 0 },
		{ "\"m\";t=5", -1, 0 }, { "\"m\";r=x;t=5", -1, 0 },
		{ "\"m\";r=3", 3, 0 }, { "\"m\";r=3;t=x", 3, 0 },
		{ "\"m\";r=3;t=-1", 3, 0 }, { "\"m\";r=3;u=9;t=4", 3, 4000 },
		/* The fewest left; of equals, the longest wait. */
		{ "a;r=3;t=4,b;r=2;t=1", 2, 1000 },
		{ "a;r=2;t=1,b;r=3;t=4", 2, 1000 },
		{ "a;r=2;t=1,b;r=2;t=4", 2, 4000 },
		{ "a;r=2;t=4,b;r=2;t=1", 2, 4000 },
		/* A week at most. */
		{ "a;r=0;t=999999999", 0, INT64_C(604800000) },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int64_t left, reset_ms;
		classify_rate_limit(str_from(cases[i].header), &left,
		    &reset_ms);
		if (left != cases[i].left || reset_ms != cases[i].reset_ms)
			fail_msg("%s: %d %d", cases[i].header, (int)left,
			    (int)reset_ms);
	}
}

/* --------------------------------------------------------------- requests ---- */

static struct str
body_of(struct arena *arena, struct cloud_request request)
{
	struct http_request http;
	runpod.encode(arena, &request, &http);
	return http.body;
}

static struct str
path_of(struct arena *arena, struct cloud_request request)
{
	struct http_request http;
	runpod.encode(arena, &request, &http);
	return http.path;
}

static void
test_runpod_sends_each_variable_once(void **state)
{
	static struct env_var own[] = {
		{ STR_INIT("PODFORM_MARK"), STR_INIT("forged"), false },
		{ STR_INIT("PUBLIC_KEY"), STR_INIT("mine"), false },
	};
	static struct env_var keep[] = {
		{ STR_INIT("PUBLIC_KEY"), STR_INIT("theirs"), false },
		{ STR_INIT("RUNPOD_POD_ID"), STR_INIT("p"), false },
		{ STR_INIT("HOME"), STR_INIT("/"), false },
		{ STR_INIT("JUPYTER_PASSWORD"), STR_INIT("j"), false },
	};
	struct pod_config pod = { .env = own, .nenv = 2 };
	struct arena arena = {0};
	(void)state;

	/* The mark is ours; what the spec sets comes before what was there;
	 * what the service renews by itself is left to it. */
	check_text("env", body_of(&arena, (struct cloud_request){
	    .op = CLOUD_UPDATE_POD, .id = STR("p"), .pod = &pod,
	    .changes = CHANGE_ENV, .mark = STR("m"), .keep = keep,
	    .nkeep = COUNTOF(keep) }),
	    "{\"env\":{\"PUBLIC_KEY\":\"mine\",\"JUPYTER_PASSWORD\":\"j\","
	    "\"PODFORM_MARK\":\"m\"}}");
	arena_release(&arena);
}

static void
test_runpod_sends_what_is_set_and_no_more(void **state)
{
	struct pod_config pod = { .name = STR("n"), .image = STR("i"),
		.disk_gb = 5 };
	struct arena arena = {0};
	(void)state;

	/* Neither GPU nor mounts, ports or place. */
	check_text("pod", body_of(&arena, (struct cloud_request){
	    .op = CLOUD_CREATE_POD, .pod = &pod }),
	    "{\"name\":\"n\",\"image\":\"i\",\"cloud\":\"SECURE\","
	    "\"disk\":5,\"ports\":[],\"env\":{}}");
	check_text("changes", body_of(&arena, (struct cloud_request){
	    .op = CLOUD_UPDATE_POD, .id = STR("p"), .pod = &pod }), "{}");
	check_text("volume", body_of(&arena, (struct cloud_request){
	    .op = CLOUD_UPDATE_VOLUME, .id = STR("v"),
	    .volume = { .name = STR("n") } }), "{\"name\":\"n\"}");
	check_text("volume", body_of(&arena, (struct cloud_request){
	    .op = CLOUD_CREATE_VOLUME, .volume = { .name = STR("n"),
	    .size_gb = 5, .data_center = STR("E"),
	    .high_performance = true } }),
	    "{\"name\":\"n\",\"size\":5,\"dataCenter\":\"E\","
	    "\"type\":\"HIGH_PERFORMANCE\"}");
	static const struct {
		int64_t tail;
		const char *path;
	} tails[] = {
		{ 0, "/pods/p/logs" }, { 1, "/pods/p/logs?tail=1" },
		{ 4999, "/pods/p/logs?tail=4999" },
		{ 5000, "/pods/p/logs?tail=5000" },
		{ 5001, "/pods/p/logs?tail=5000" },
		{ INT64_MAX, "/pods/p/logs?tail=5000" },
	};
	for (size_t i = 0; i < COUNTOF(tails); i++)
		check_text("tail", path_of(&arena, (struct cloud_request){
		    .op = CLOUD_GET_LOG, .id = STR("p"),
		    .tail = tails[i].tail }), tails[i].path);
	check_text("count", path_of(&arena, (struct cloud_request){
	    .op = CLOUD_LIST_GPUS }),
	    "/catalog/gpus?include=AVAILABILITY&product=POD&count=1");
	check_text("escapes", path_of(&arena, (struct cloud_request){
	    .op = CLOUD_LIST_PODS, .cursor = STR("a.~/=\xff") }),
	    "/pods?cursor=a.~%2F%3D%FF");
	arena_release(&arena);
}

static void
test_runpod_takes_no_id_that_could_be_a_path(void **state)
{
	static const struct {
		const char *id;
		bool ok;
	} cases[] = {
		{ "a", true }, { "z", true }, { "A", true }, { "Z", true },
		{ "0", true }, { "9", true }, { "_-", true }, { "", false },
		{ "`", false }, { "{", false }, { "@", false },
		{ "[", false }, { "/", false }, { ":", false },
		{ ".", false }, { "\x7f", false }, { "\xe9", false },
		{ FIFTY "12345678901234", true },
		{ FIFTY "123456789012345", false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++)
		if (ops_id_ok(str_from(cases[i].id)) != cases[i].ok)
			fail_msg("%s", cases[i].id);
}

static void
test_runpod_reads_a_log_that_is_odd(void **state)
{
	static const struct {
		const char *body;
		int lines;			/* -1: malformed */
		const char *first;
	} cases[] = {
		{ "data: {\"line\":\"a\"}\r\rdata: {\"line\":\"b\"}\n\n", 2,
		  "a" },
		{ "\xef\xbb\xbf: hello\nretry: 5\n\ndata: {\"line\":\"a\"}\n"
		  "\n", 1, "a" },
		/* In two lines, which are one document. */
		{ "data: {\"line\":\ndata:\"a\"}\n\n", 1, "a" },
		{ "event: message\ndata: {\"line\":\"a\"}\n\n", 1, "a" },
		{ "event: ping\ndata: not JSON\n\n", 0, NULL },
		{ "data: {\"news\":1}\n\n", 0, NULL },
		{ "data: {\"line\":\"a\"}\n", 1, "a" },
		{ "data: {\"line\":\"a\n", 0, NULL },
		{ "data: {\"line\":7}\n\n", -1, NULL },
		{ "data: not JSON\n\n", -1, NULL },
		{ "<html>\n", -1, NULL }, { "HTTP: x", -1, NULL },
		{ "da", 0, NULL },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct cloud_answer answer =
		    decode(&arena, CLOUD_GET_LOG, cases[i].body);
		int lines = answer.outcome == OUTCOME_OK ?
		    (int)answer.nlines : -1;
		if (lines != cases[i].lines)
			fail_msg("%s: %d", cases[i].body, lines);
		if (lines > 0)
			check_text(cases[i].body, answer.lines[0].text,
			    cases[i].first);
		arena_release(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_runpod_an_odd_answer_is_none_and_says_why),
		cmocka_unit_test(test_runpod_reads_what_may_be_missing),
		cmocka_unit_test(test_runpod_reads_each_kind_of_account),
		cmocka_unit_test(
		    test_runpod_believes_a_refusal_only_when_it_is_one),
		cmocka_unit_test(
		    test_runpod_knows_capacity_from_its_words_alone),
		cmocka_unit_test(test_runpod_reads_windows_that_are_odd),
		cmocka_unit_test(test_runpod_sends_each_variable_once),
		cmocka_unit_test(test_runpod_sends_what_is_set_and_no_more),
		cmocka_unit_test(test_runpod_takes_no_id_that_could_be_a_path),
		cmocka_unit_test(test_runpod_reads_a_log_that_is_odd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
