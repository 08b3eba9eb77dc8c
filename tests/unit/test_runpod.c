/* test_runpod.c - requests as text, answers as values */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "runpod_text.h"

/* ---------------------------------------------------------- encode -- */

static struct str ports[] = { STR_INIT("22/tcp"), STR_INIT("8188/http") };
static struct env_var env[] = {
	{ STR_INIT("MODE"), STR_INIT("a \"b\""), false },
};

static struct pod_config
a_config(void)
{
	return (struct pod_config){
		.name = STR("trainer-pf0123"), .image = STR("runpod/x:1"),
		.gpu = STR("NVIDIA A40"), .gpu_count = 2,
		.tier = TIER_SECURE, .disk_gb = 50,
		.ports = ports, .nports = 2, .env = env, .nenv = 1,
	};
}

static void
test_runpod_create_sends_all_that_has_bad_defaults(void **state)
{
	struct arena arena = {0};
	struct pod_config pod = a_config();
	(void)state;

	struct http_request http = runpod_write(&arena, (struct cloud_request){
		.op = CLOUD_CREATE_POD, .pod = &pod, .mark = STR("v1 a b c"),
	});
	assert_int_equal(http.method, HTTP_POST);
	assert_true(http.effect);
	assert_str(http.path, "/pods");
	assert_str(http.body,
	    "{\"name\":\"trainer-pf0123\",\"image\":\"runpod/x:1\","
	    "\"gpu\":{\"id\":\"NVIDIA A40\",\"count\":2},"
	    "\"cloud\":\"SECURE\",\"disk\":50,"
	    "\"ports\":[\"22/tcp\",\"8188/http\"],"
	    "\"env\":{\"MODE\":\"a \\\"b\\\"\",\"PODFORM_MARK\":\"v1 a b c\"},"
	    "\"startSsh\":true}");
	arena_release(&arena);
}

static void
test_runpod_create_sends_what_is_set(void **state)
{
	struct arena arena = {0};
	struct pod_config pod = a_config();
	(void)state;

	pod.args = STR("bash -c x");
	pod.min_cuda = STR("12.4");
	pod.tier = TIER_COMMUNITY;
	pod.data_center = STR("EU-RO-1");
	pod.volume_id = STR("agv6w2qcg7");
	pod.volume_path = STR("/workspace");
	pod.nports = pod.nenv = 0;
	assert_str(runpod_write(&arena, (struct cloud_request){
		.op = CLOUD_CREATE_POD, .pod = &pod }).body,
	    "{\"name\":\"trainer-pf0123\",\"image\":\"runpod/x:1\","
	    "\"args\":\"bash -c x\",\"gpu\":{\"id\":\"NVIDIA A40\","
	    "\"count\":2,\"minCudaVersion\":\"12.4\"},"
	    "\"cloud\":\"COMMUNITY\",\"dataCenterIds\":[\"EU-RO-1\"],"
	    "\"disk\":50,\"mounts\":{\"network\":[{\"volumeId\":"
	    "\"agv6w2qcg7\",\"path\":\"/workspace\"}]},"
	    "\"ports\":[],\"env\":{}}");
	pod = a_config();
	pod.nports = pod.nenv = 0;
	pod.persistent_gb = 20;
	pod.persistent_path = STR("/data");
	struct str body = runpod_write(&arena, (struct cloud_request){
		.op = CLOUD_CREATE_POD, .pod = &pod }).body;
	assert_true(str_search(body, STR("\"mounts\":{\"persistent\":"
	    "{\"size\":20,\"path\":\"/data\"}}")) > 0);
	arena_release(&arena);
}

static void
test_runpod_update_sends_only_what_changes(void **state)
{
	struct arena arena = {0};
	struct pod_config pod = a_config();
	struct env_var keep[] = {
		{ STR_INIT("PUBLIC_KEY"), STR_INIT("ssh-ed25519 A"), false },
		{ STR_INIT("RUNPOD_POD_ID"), STR_INIT("x"), false },
	};
	struct cloud_request request = {
		.op = CLOUD_UPDATE_POD, .id = STR("xedezhzb9la3ye"),
		.pod = &pod, .mark = STR("v1 a b c"), .keep = keep, .nkeep = 2,
	};
	(void)state;

	request.changes = CHANGE_NAME;
	struct http_request http = runpod_write(&arena, request);
	assert_int_equal(http.method, HTTP_PATCH);
	assert_str(http.path, "/pods/xedezhzb9la3ye");
	assert_str(http.body, "{\"name\":\"trainer-pf0123\"}");
	request.changes = CHANGE_IMAGE | CHANGE_ARGS | CHANGE_DISK |
	    CHANGE_PORTS | CHANGE_ENV;
	assert_str(runpod_write(&arena, request).body,
	    "{\"image\":\"runpod/x:1\",\"args\":\"\",\"disk\":50,"
	    "\"ports\":[\"22/tcp\",\"8188/http\"],"
	    "\"env\":{\"MODE\":\"a \\\"b\\\"\","
	    "\"PUBLIC_KEY\":\"ssh-ed25519 A\","
	    "\"PODFORM_MARK\":\"v1 a b c\"}}");
	/* One that was imported has none, and gets no empty one. */
	request.mark = STR("");
	request.changes = CHANGE_ENV;
	assert_str(runpod_write(&arena, request).body,
	    "{\"env\":{\"MODE\":\"a \\\"b\\\"\","
	    "\"PUBLIC_KEY\":\"ssh-ed25519 A\"}}");
	arena_release(&arena);
}

static void
test_runpod_encodes_every_op(void **state)
{
	static const char *const methods[] = {
		"GET", "POST", "PUT", "PATCH", "DELETE",
	};
	static const char *const expected[CLOUD_OP_COUNT] = {
		[CLOUD_LIST_PODS] = "GET /pods?cursor=a%2Fb -",
		[CLOUD_GET_POD] = "GET /pods/p1 -",
		[CLOUD_START_POD] = "POST /pods/p1/action "
		    "{\"action\":\"start\"} effect",
		[CLOUD_STOP_POD] = "POST /pods/p1/action "
		    "{\"action\":\"stop\"} effect",
		[CLOUD_RESTART_POD] = "POST /pods/p1/action "
		    "{\"action\":\"restart\"} effect",
		[CLOUD_DELETE_POD] = "DELETE /pods/p1 - effect",
		[CLOUD_LIST_VOLUMES] = "GET /network-volumes?cursor=a%2Fb -",
		[CLOUD_GET_VOLUME] = "GET /network-volumes/p1 -",
		[CLOUD_CREATE_VOLUME] = "POST /network-volumes "
		    "{\"name\":\"data\",\"size\":100,"
		    "\"dataCenter\":\"EU-RO-1\","
		    "\"type\":\"HIGH_PERFORMANCE\"} effect",
		[CLOUD_UPDATE_VOLUME] = "PATCH /network-volumes/p1 "
		    "{\"name\":\"data\",\"size\":100} effect",
		[CLOUD_DELETE_VOLUME] = "DELETE /network-volumes/p1 - effect",
		[CLOUD_LIST_GPUS] = "GET /catalog/gpus?include=AVAILABILITY"
		    "&product=POD&count=4 -",
		[CLOUD_LIST_DATA_CENTERS] = "GET /catalog/datacenters -",
		[CLOUD_GET_ACCOUNT] = "POST  {\"query\":\"query { myself { id "
		    "email clientBalance currentSpendPerHr spendLimit } }\"}",
		[CLOUD_GET_SSH_KEYS] = "GET /account/ssh-keys -",
		[CLOUD_GET_LOG] = "GET /pods/p1/logs -",
	};
	struct arena arena = {0};
	(void)state;

	for (int op = 0; op < CLOUD_OP_COUNT; op++) {
		if (op == CLOUD_CREATE_POD || op == CLOUD_UPDATE_POD)
			continue;
		struct http_request http = runpod_write(&arena,
		    (struct cloud_request){
			.op = (enum cloud_op)op, .id = STR("p1"),
			.gpu_count = 4,
			.cursor = op == CLOUD_LIST_PODS ||
			    op == CLOUD_LIST_VOLUMES ? STR("a/b") :
			    (struct str){0},
			.volume = { .name = STR("data"), .size_gb = 100,
			    .data_center = STR("EU-RO-1"),
			    .high_performance = true },
		});
		assert_str(arena_printf(&arena, "%s " STR_FMT " " STR_FMT "%s",
		    methods[http.method], STR_ARG(http.path),
		    STR_ARG(http.body.data != NULL ? http.body : STR("-")),
		    http.effect ? " effect" : ""), expected[op]);
		assert_int_equal(http.host, op == CLOUD_GET_ACCOUNT ?
		    HOST_CLOUD_GRAPHQL : HOST_CLOUD);
		assert_true(http.timeout_ms > 0);
		assert_true(http.max_body >= 256 * 1024);
	}
	arena_release(&arena);
}

static void
test_runpod_escapes_an_id_in_a_path(void **state)
{
	struct arena arena = {0};
	(void)state;
	assert_str(runpod_write(&arena, (struct cloud_request){
		.op = CLOUD_GET_POD, .id = STR("../x?y") }).path,
	    "/pods/..%2Fx%3Fy");
	arena_release(&arena);
}

/* ---------------------------------------------------------- decode -- */

static const char full_pod[] =
    "{\"id\":\"p1\",\"name\":\"trainer-pf01\",\"status\":\"RUNNING\","
    "\"actions\":[\"stop\"],\"image\":\"runpod/x:1\",\"args\":null,"
    "\"disk\":50,\"mounts\":{\"network\":[{\"volumeId\":\"v1\","
    "\"path\":\"/workspace\"}]},"
    "\"ports\":[\"8188/http\",\"22/tcp\"],"
    "\"env\":{\"B\":\"2\",\"RUNPOD_POD_ID\":\"p1\",\"A\":\"1\\n\","
    "\"PUBLIC_KEY\":\"k\",\"PODFORM_MARK\":\"v1 l o a\"},"
    "\"registry\":null,\"cloud\":\"COMMUNITY\","
    "\"dataCenterId\":\"EU-RO-1\",\"cudaVersion\":\"12.8\","
    "\"ssh\":{\"proxy\":null,\"direct\":{\"host\":\"195.26.233.3\","
    "\"port\":34446,\"username\":\"root\",\"command\":\"ssh\"}},"
    "\"template\":null,\"cost\":0.445,\"locked\":true,"
    "\"runtime\":{\"uptime\":3},\"gpu\":{\"id\":\"NVIDIA A40\","
    "\"count\":2},\"createdAt\":\"2026-06-01T12:00:00Z\","
    "\"startedAt\":null,\"novel\":{\"x\":[1,2]}}";

static void
test_runpod_reads_a_pod(void **state)
{
	struct arena arena = {0};
	struct cloud_answer answer =
	    runpod_read(&arena, CLOUD_GET_POD, 200, full_pod);
	(void)state;

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.npods, 1);
	const struct cloud_pod *pod = answer.pods;
	assert_str(pod->id, "p1");
	assert_int_equal(pod->status, POD_RUNNING);
	assert_str(pod->mark, "v1 l o a");
	assert_int_equal(pod->config.nenv, 2);
	assert_str(pod->config.env[0].name, "A");
	assert_str(pod->config.env[0].value, "1\n");
	assert_str(pod->config.env[1].name, "B");
	assert_int_equal(pod->ninjected, 2);
	assert_str(pod->injected[1].value, "k");
	assert_str(pod->config.ports[0], "22/tcp");
	assert_str(pod->config.ports[1], "8188/http");
	assert_str(pod->config.volume_id, "v1");
	assert_str(pod->config.volume_path, "/workspace");
	assert_int_equal(pod->config.tier, TIER_COMMUNITY);
	assert_str(pod->config.gpu, "NVIDIA A40");
	assert_int_equal(pod->config.gpu_count, 2);
	assert_int_equal(pod->config.disk_gb, 50);
	assert_true(pod->cost_known);
	assert_int_equal(pod->cost_per_hour, 445000);
	assert_true(pod->locked);
	assert_true(pod->has_runtime);
	assert_str(pod->ssh.host, "195.26.233.3");
	assert_int_equal(pod->ssh.port, 34446);
	assert_null(pod->started_at.data);
	arena_release(&arena);
}

/* A pod with one of its members replaced (or left out, text ""). */
static struct cloud_answer
list_with(struct arena *arena, const char *member, const char *text)
{
	static const struct {
		const char *key, *text;
	} members[] = {
		{ "id", "\"id\":\"p1\"" }, { "name", "\"name\":\"n\"" },
		{ "status", "\"status\":\"RUNNING\"" },
		{ "image", "\"image\":\"i\"" }, { "args", "\"args\":\"\"" },
		{ "disk", "\"disk\":50" }, { "mounts", "\"mounts\":{}" },
		{ "ports", "\"ports\":[]" }, { "env", "\"env\":{}" },
		{ "cloud", "\"cloud\":\"SECURE\"" },
		{ "cost", "\"cost\":0.44" }, { "gpu", "\"locked\":false" },
		{ "ssh", "\"ssh\":null" }, { "runtime", "\"runtime\":{}" },
	};
	struct strbuf body = {0};
	strbuf_adds(&body, "{\"pods\":[{");
	for (size_t i = 0, n = 0; i < COUNTOF(members); i++) {
		const char *part = strcmp(members[i].key, member) == 0 ?
		    text : members[i].text;
		if (*part == '\0')
			continue;
		strbuf_addf(&body, "%s%s", n++ > 0 ? "," : "", part);
	}
	strbuf_adds(&body, "}]}");
	const char *kept = arena_cstr(arena, strbuf_str(&body));
	strbuf_release(&body);
	return runpod_read(arena, CLOUD_LIST_PODS, 200, kept);
}

static void
test_runpod_a_listing_with_one_bad_pod_is_no_listing(void **state)
{
	static const struct {
		const char *member, *text, *why;	/* why NULL: good */
	} cases[] = {
		{ "", "", NULL },
		{ "id", "", "id" }, { "id", "\"id\":7", "id" },
		{ "id", "\"id\":\"../../x\"", "id" },
		{ "id", "\"id\":\"a\\\"b\"", "id" },
		{ "id", "\"id\":\"\"", "id" },
		{ "id", "\"id\":\"p1\",\"id\":\"p2\"", "duplicate key" },
		{ "id", "\"id\":\"p1\",\"id\\u0000x\":\"p2\"", "not JSON" },
		{ "name", "", "name" }, { "status", "", "status" },
		{ "status", "\"status\":\"DREAMING\"", NULL },
		{ "image", "", "image" }, { "args", "", "args" },
		{ "args", "\"args\":null", NULL }, { "disk", "", "disk" },
		{ "disk", "\"disk\":-1", "disk" },
		{ "disk", "\"disk\":5.5", "disk" },
		{ "mounts", "", "mounts" },
		{ "mounts", "\"mounts\":null", NULL },
		{ "mounts", "\"mounts\":{\"network\":[{}]}", "volumeId" },
		{ "ports", "", "ports" }, { "ports", "\"ports\":null", NULL },
		{ "ports", "\"ports\":\"22/tcp\"", "ports" },
		{ "ports", "\"ports\":[22]", "string" },
		{ "env", "", "env" }, { "env", "\"env\":null", NULL },
		{ "env", "\"env\":[\"A=1\"]", "env" },
		{ "env", "\"env\":{\"A\":1}", "string" },
		{ "cloud", "", "cloud" },
		{ "cost", "", NULL }, { "cost", "\"cost\":NaN", "not JSON" },
		{ "cost", "\"cost\":1e400", "cost" },
		{ "cost", "\"cost\":-1", "cost" },
		{ "cost", "\"cost\":\"0.44\"", "cost" },
		{ "cost", "\"cost\":4.4e-1", NULL },
		{ "gpu", "\"gpu\":null", NULL },
		{ "gpu", "\"gpu\":{\"count\":1}", "id" },
		{ "gpu", "\"gpu\":{\"id\":\"x\",\"count\":\"1\"}", "count" },
		{ "runtime", "", NULL },
		{ "runtime", "\"runtime\":null", NULL },
		{ "ssh", "", NULL },
		{ "ssh", "\"ssh\":{\"direct\":{\"host\":\"-oProxyCommand=x\","
		    "\"port\":22}}", "host" },
		{ "ssh", "\"ssh\":{\"direct\":{\"host\":\"1.2.3.4\","
		    "\"port\":70000}}", "port" },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct cloud_answer answer =
		    list_with(&arena, cases[i].member, cases[i].text);
		if (cases[i].why == NULL) {
			if (answer.outcome != OUTCOME_OK)
				print_error("case %zu: " STR_FMT "\n", i,
				    STR_ARG(answer.message));
			assert_int_equal(answer.outcome, OUTCOME_OK);
			assert_int_equal(answer.npods, 1);
		} else {
			if (answer.reason != REASON_MALFORMED ||
			    str_search(answer.message,
				str_from(cases[i].why)) < 0)
				print_error("case %zu (%s): " STR_FMT "\n", i,
				    cases[i].text, STR_ARG(answer.message));
			assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
			assert_int_equal(answer.reason, REASON_MALFORMED);
			assert_int_equal(answer.npods, 0);
			assert_null(answer.pods);
			assert_true(str_search(answer.message,
			    str_from(cases[i].why)) >= 0);
		}
		arena_release(&arena);
	}
}

static void
test_runpod_an_odd_listing_is_no_listing(void **state)
{
	static const char *const bodies[] = {
		"", "null", "{}", "[]", "{\"pods\":null}", "{\"pods\":{}}",
		"{\"pods\":[", "{\"pods\":[]}x", "{\"pods\":[null]}",
		"{\"pods\":[" POD_TEXT("a") "," POD_TEXT("a") "]}",
		"{\"pods\":[],\"pagination\":{\"hasNextPage\":true}}",
		("{\"pods\":[],\"pagination\":{\"hasNextPage\":true,"
		 "\"nextCursor\":null}}"),
		"{\"pods\":[],\"pagination\":7}",
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(bodies); i++) {
		struct arena arena = {0};
		struct cloud_answer answer =
		    runpod_read(&arena, CLOUD_LIST_PODS, 200, bodies[i]);
		assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
		assert_int_equal(answer.reason, REASON_MALFORMED);
		assert_true(answer.message.len > 0);
		arena_release(&arena);
	}
}

static void
test_runpod_follows_pages(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct cloud_answer answer = runpod_read(&arena, CLOUD_LIST_PODS, 200,
	    "{\"pods\":[" POD_TEXT("a") "],\"pagination\":{\"nextCursor\":"
	    "\"abc\",\"hasNextPage\":true}}");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_str(answer.next_cursor, "abc");
	answer = runpod_read(&arena, CLOUD_LIST_PODS, 200,
	    "{\"pods\":[],\"pagination\":{\"nextCursor\":\"abc\","
	    "\"hasNextPage\":false}}");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_null(answer.next_cursor.data);
	arena_release(&arena);
}

static void
test_runpod_a_create_is_known_by_its_id_alone(void **state)
{
	static const struct {
		const char *body;
		enum cloud_reason reason;
	} cases[] = {
		{ POD_TEXT("p9"), REASON_NONE },
		{ "{\"id\":\"p9\"}", REASON_NONE },
		{ "{\"id\":\"p9\",\"cost\":\"free\"}", REASON_NONE },
		{ "{\"id\":\"../../x\"}", REASON_MALFORMED },
		{ "{\"id\":\"\"}", REASON_MALFORMED },
		{ "{\"id\":\"a'b\"}", REASON_MALFORMED },
		{ "{\"id\":null}", REASON_MALFORMED },
		{ "{}", REASON_MALFORMED }, { "[]", REASON_MALFORMED },
		{ "", REASON_MALFORMED }, { "<html>", REASON_MALFORMED },
		{ "{\"id\":\"p9\"", REASON_MALFORMED },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct cloud_answer answer =
		    runpod_read(&arena, CLOUD_CREATE_POD, 201, cases[i].body);
		assert_int_equal(answer.reason, cases[i].reason);
		assert_int_equal(answer.outcome,
		    cases[i].reason == REASON_NONE ? OUTCOME_OK :
		    OUTCOME_UNKNOWN);
		if (answer.outcome == OUTCOME_OK)
			assert_str(answer.pods[0].id, "p9");
		arena_release(&arena);
	}
}

static void
test_runpod_an_answer_about_another_pod_is_none(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct cloud_answer answer =
	    runpod_read(&arena, CLOUD_GET_POD, 200, POD_TEXT("p2"));
	assert_int_equal(answer.reason, REASON_MALFORMED);
	assert_str(answer.message,
	    "answer.id: the pod that was asked for expected");
	arena_release(&arena);
}

static void
test_runpod_reads_volumes_and_the_catalog(void **state)
{
	struct arena arena = {0};
	(void)state;
	struct cloud_answer answer = runpod_read(&arena,
	    CLOUD_LIST_VOLUMES, 200,
	    "{\"networkVolumes\":[{\"id\":\"v1\",\"name\":\"data\","
	    "\"size\":100,\"dataCenter\":\"EU-RO-1\","
	    "\"type\":\"HIGH_PERFORMANCE\"}]}");
	assert_int_equal(answer.nvolumes, 1);
	assert_true(answer.volumes[0].high_performance);
	assert_int_equal(answer.volumes[0].size_gb, 100);

	answer = runpod_read(&arena, CLOUD_LIST_GPUS, 200,
	    "{\"gpus\":[{\"id\":\"unknown\",\"name\":\"unknown\","
	    "\"memory\":0,\"secure\":false,\"community\":false},"
	    "{\"id\":\"NVIDIA A40\",\"name\":\"A40\",\"memory\":48,"
	    "\"secure\":true,\"community\":false,\"price\":{\"secure\":0.4,"
	    "\"community\":0.5},\"maxCount\":{\"secure\":8,"
	    "\"community\":0},\"availability\":\"MEDIUM\","
	    "\"dataCenters\":[{\"id\":\"EU-SE-1\",\"name\":\"x\","
	    "\"availability\":\"LOW\"}],\"cudaVersions\":"
	    "[{\"version\":\"12.8\",\"available\":true}]}]}");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.ngpus, 1);
	const struct gpu_type *gpu = answer.gpus;
	assert_str(gpu->id, "NVIDIA A40");
	assert_int_equal(gpu->secure_price, 400000);
	assert_int_equal(gpu->community_price, -1);
	assert_int_equal(gpu->max_secure, 8);
	assert_int_equal(gpu->stock, STOCK_MEDIUM);
	assert_int_equal(gpu->places[0].stock, STOCK_LOW);
	assert_str(gpu->cuda[0], "12.8");

	answer = runpod_read(&arena, CLOUD_LIST_DATA_CENTERS, 200,
	    "{\"dataCenters\":[{\"id\":\"EU-RO-1\",\"name\":\"Romania\","
	    "\"region\":\"EUROPE\",\"networkVolumeTypes\":[\"STANDARD\"]},"
	    "{\"id\":\"US-X-1\",\"name\":\"X\",\"networkVolumeTypes\":[]}]}");
	assert_int_equal(answer.ndata_centers, 2);
	assert_true(answer.data_centers[0].volumes);
	assert_false(answer.data_centers[1].volumes);
	arena_release(&arena);
}

static void
test_runpod_reads_the_account(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum cloud_outcome outcome;
		enum cloud_reason reason;
	} cases[] = {
		{ 200, "{\"data\":{\"myself\":{\"id\":\"user_1\",\"email\":"
		    "\"a@b\",\"clientBalance\":-1.25,\"currentSpendPerHr\":0.5,"
		    "\"spendLimit\":80}}}", OUTCOME_OK, REASON_NONE },
		{ 200, "{\"data\":{\"myself\":null}}", OUTCOME_NO_EFFECT,
		    REASON_AUTH },
		{ 200, "{\"errors\":[{\"message\":\"Unauthorized\"}],"
		    "\"data\":{\"myself\":null}}", OUTCOME_NO_EFFECT,
		    REASON_AUTH },
		{ 200, "{\"errors\":[{\"message\":\"Something went wrong.\"}]"
		    ",\"data\":null}", OUTCOME_UNKNOWN, REASON_TRANSIENT },
		{ 400, "{\"errors\":[{\"message\":\"Cannot query field\"}]}",
		    OUTCOME_NO_EFFECT, REASON_BAD_REQUEST },
		{ 200, "{\"data\":{}}", OUTCOME_UNKNOWN, REASON_MALFORMED },
		{ 200, "{\"data\":{\"myself\":{\"id\":\"u\",\"clientBalance\":"
		    "\"7\"}}}", OUTCOME_UNKNOWN, REASON_MALFORMED },
		{ 200, "<html>", OUTCOME_UNKNOWN, REASON_MALFORMED },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct cloud_answer answer = runpod_read(&arena,
		    CLOUD_GET_ACCOUNT,
		    cases[i].status, cases[i].body);
		assert_int_equal(answer.outcome, cases[i].outcome);
		assert_int_equal(answer.reason, cases[i].reason);
		if (answer.outcome == OUTCOME_OK) {
			assert_true(answer.account.balance_known);
			assert_int_equal(answer.account.balance, -1250000);
			assert_int_equal(answer.account.spend_per_hour,
			    500000);
			assert_int_equal(answer.account.spend_limit,
			    80000000);
		}
		arena_release(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_runpod_create_sends_all_that_has_bad_defaults),
		cmocka_unit_test(test_runpod_create_sends_what_is_set),
		cmocka_unit_test(test_runpod_update_sends_only_what_changes),
		cmocka_unit_test(test_runpod_encodes_every_op),
		cmocka_unit_test(test_runpod_escapes_an_id_in_a_path),
		cmocka_unit_test(test_runpod_reads_a_pod),
		cmocka_unit_test(
		    test_runpod_a_listing_with_one_bad_pod_is_no_listing),
		cmocka_unit_test(test_runpod_an_odd_listing_is_no_listing),
		cmocka_unit_test(test_runpod_follows_pages),
		cmocka_unit_test(test_runpod_a_create_is_known_by_its_id_alone),
		cmocka_unit_test(
		    test_runpod_an_answer_about_another_pod_is_none),
		cmocka_unit_test(test_runpod_reads_volumes_and_the_catalog),
		cmocka_unit_test(test_runpod_reads_the_account),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
