/* test_runpod.c - requests as text, answers as values, refusals as a table */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/headers.h"
#include "base/strbuf.h"
#include "cloud/runpod/classify.h"
#include "cloud/runpod/runpod.h"

#define assert_str(actual, expected) do { \
	struct str a_ = (actual); \
	struct arena c_ = {0}; \
	assert_string_equal(arena_cstr(&c_, a_), expected); \
	arena_release(&c_); \
} while (0)

/* ------------------------------------------------------------ encode ---- */

static struct http_request
encode(struct arena *arena, struct cloud_request request)
{
	struct http_request http;
	runpod.encode(arena, &request, &http);
	return http;
}

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

	struct http_request http = encode(&arena, (struct cloud_request){
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
	assert_str(encode(&arena, (struct cloud_request){
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
	struct str body = encode(&arena, (struct cloud_request){
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
	struct http_request http = encode(&arena, request);
	assert_int_equal(http.method, HTTP_PATCH);
	assert_str(http.path, "/pods/xedezhzb9la3ye");
	assert_str(http.body, "{\"name\":\"trainer-pf0123\"}");
	request.changes = CHANGE_IMAGE | CHANGE_ARGS | CHANGE_DISK |
	    CHANGE_PORTS | CHANGE_ENV;
	assert_str(encode(&arena, request).body,
	    "{\"image\":\"runpod/x:1\",\"args\":\"\",\"disk\":50,"
	    "\"ports\":[\"22/tcp\",\"8188/http\"],"
	    "\"env\":{\"MODE\":\"a \\\"b\\\"\","
	    "\"PUBLIC_KEY\":\"ssh-ed25519 A\","
	    "\"PODFORM_MARK\":\"v1 a b c\"}}");
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
		struct http_request http = encode(&arena,
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
	assert_str(encode(&arena, (struct cloud_request){
		.op = CLOUD_GET_POD, .id = STR("../x?y") }).path,
	    "/pods/..%2Fx%3Fy");
	arena_release(&arena);
}

/* ------------------------------------------------------------ decode ---- */

static struct cloud_answer
decode(struct arena *arena, enum cloud_op op, int status, const char *body)
{
	struct cloud_answer answer;
	struct cloud_request request = { .op = op, .id = STR("p1") };
	struct http_answer http = {
		.outcome = HTTP_ANSWERED, .status = status,
		.body = str_from(body),
	};
	runpod.decode(arena, &request, &http, 0, &answer);
	return answer;
}

#define POD_REST "\"image\":\"i\",\"args\":\"\",\"disk\":50,\"mounts\":{}," \
	"\"ports\":[\"8188/http\",\"22/tcp\"],\"cloud\":\"SECURE\""
#define POD_TEXT(id) "{\"id\":\"" id "\",\"name\":\"n\"," \
	"\"status\":\"RUNNING\",\"env\":{},\"cost\":0.44," POD_REST "}"

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
	    decode(&arena, CLOUD_GET_POD, 200, full_pod);
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
	return decode(arena, CLOUD_LIST_PODS, 200, kept);
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
		    decode(&arena, CLOUD_LIST_PODS, 200, bodies[i]);
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
	struct cloud_answer answer = decode(&arena, CLOUD_LIST_PODS, 200,
	    "{\"pods\":[" POD_TEXT("a") "],\"pagination\":{\"nextCursor\":"
	    "\"abc\",\"hasNextPage\":true}}");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_str(answer.next_cursor, "abc");
	answer = decode(&arena, CLOUD_LIST_PODS, 200,
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
		    decode(&arena, CLOUD_CREATE_POD, 201, cases[i].body);
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
	    decode(&arena, CLOUD_GET_POD, 200, POD_TEXT("p2"));
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
	struct cloud_answer answer = decode(&arena, CLOUD_LIST_VOLUMES, 200,
	    "{\"networkVolumes\":[{\"id\":\"v1\",\"name\":\"data\","
	    "\"size\":100,\"dataCenter\":\"EU-RO-1\","
	    "\"type\":\"HIGH_PERFORMANCE\"}]}");
	assert_int_equal(answer.nvolumes, 1);
	assert_true(answer.volumes[0].high_performance);
	assert_int_equal(answer.volumes[0].size_gb, 100);

	answer = decode(&arena, CLOUD_LIST_GPUS, 200,
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

	answer = decode(&arena, CLOUD_LIST_DATA_CENTERS, 200,
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
		struct cloud_answer answer = decode(&arena, CLOUD_GET_ACCOUNT,
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

/* ---------------------------------------------------------- refusals ---- */

enum body { PROBLEM, NO_STOCK, NO_MONEY, PLAIN, WRONG, HTML, A_POD, NBODIES };

/* %d is the status. */
static const char *const body_texts[NBODIES] = {
	[PROBLEM] = "{\"title\":\"T\",\"status\":%d,\"detail\":\"no\","
	    "\"errors\":[\"one\",\"two\"]}",
	[NO_STOCK] = "{\"title\":\"T\",\"status\":%d,\"detail\":\"There are no "
	    "longer any instances available with the requested "
	    "specifications. Please refresh and try again.\"}",
	[NO_MONEY] = "{\"title\":\"T\",\"status\":%d,\"detail\":\"Your account "
	    "balance is too low to rent a pod\"}",
	[PLAIN] = "{\"error\":\"not enough free GPUs on the host machine\"}",
	[WRONG] = "{\"title\":\"Bad Gateway\",\"status\":502,\"detail\":\"x\"}",
	[HTML] = "<html><body>403 Forbidden</body></html>",
	[A_POD] = "{\"id\":\"p1\",\"name\":\"n\",\"message\":\"hello\"}",
};

/*
 * What must hold, written down a second time and in another way than in
 * classify.c: first whether an effect is ruled out, then why.
 */
static enum cloud_outcome
expected_outcome(enum cloud_op op, int status, enum body body)
{
	bool proven = body == PROBLEM || body == NO_STOCK ||
	    body == NO_MONEY || body == PLAIN || (body == WRONG &&
	    status == 502);
	if (status == 429)
		return OUTCOME_NO_EFFECT;
	if (!proven)
		return OUTCOME_UNKNOWN;
	switch (status) {
	case 400: case 401: case 402: case 403: case 404: case 422:
		return OUTCOME_NO_EFFECT;
	case 409:
		return op == CLOUD_CREATE_POD || op == CLOUD_CREATE_VOLUME ?
		    OUTCOME_UNKNOWN : OUTCOME_NO_EFFECT;
	}
	return OUTCOME_UNKNOWN;
}

static enum cloud_reason
expected_reason(int status, enum body body)
{
	bool proven = body <= PLAIN;
	switch (status) {
	case 400:
		return body == PROBLEM ? REASON_BAD_REQUEST :
		    body == NO_STOCK || body == PLAIN ? REASON_NO_CAPACITY :
		    body == NO_MONEY ? REASON_BALANCE : REASON_TRANSIENT;
	case 401:
		return REASON_AUTH;
	case 403:
		return body == NO_MONEY ? REASON_BALANCE : REASON_FORBIDDEN;
	case 402:
		return proven ? REASON_BALANCE : REASON_TRANSIENT;
	case 404:
		return proven ? REASON_NOT_FOUND : REASON_TRANSIENT;
	case 409:
		return proven ? REASON_CONFLICT : REASON_TRANSIENT;
	case 410:
		return REASON_RETIRED;
	case 422:
		return proven ? REASON_BAD_REQUEST : REASON_TRANSIENT;
	case 429:
		return REASON_RATE_LIMITED;
	}
	return REASON_TRANSIENT;
}

static void
test_runpod_classifies_every_refusal(void **state)
{
	static const int statuses[] = {
		100, 200, 201, 202, 204, 206, 301, 302, 307, 308, 400, 401,
		402, 403, 404, 405, 406, 408, 409, 410, 411, 413, 415, 418,
		422, 425, 429, 451, 499, 500, 501, 502, 503, 504, 520, 524,
		599, 999,
	};
	size_t walked = 0;
	(void)state;

	for (int op = 0; op < CLOUD_OP_COUNT; op++)
	for (size_t s = 0; s < COUNTOF(statuses); s++)
	for (enum body body = 0; body < NBODIES; body++) {
		/* Success is another table. */
		if (statuses[s] == 200 || statuses[s] == 201 ||
		    statuses[s] == 204)
			continue;
		struct arena arena = {0};
		struct strbuf text = {0};
		for (const char *c = body_texts[body]; *c != '\0'; c++) {
			if (c[0] == '%' && c[1] == 'd') {
				strbuf_addf(&text, "%d", statuses[s]);
				c++;
			} else
				strbuf_addc(&text, *c);
		}
		struct cloud_answer answer = decode(&arena,
		    (enum cloud_op)op, statuses[s], text.data);
		if (answer.outcome != expected_outcome((enum cloud_op)op,
			statuses[s], body) ||
		    answer.reason != expected_reason(statuses[s], body))
			print_error("op %d status %d body %d\n", op,
			    statuses[s], body);
		assert_int_equal(answer.outcome, expected_outcome(
		    (enum cloud_op)op, statuses[s], body));
		assert_int_equal(answer.reason,
		    expected_reason(statuses[s], body));
		assert_int_equal(answer.status, statuses[s]);
		assert_true(answer.message.len > 0);
		strbuf_release(&text);
		arena_release(&arena);
		walked++;
	}
	assert_int_equal(walked, CLOUD_OP_COUNT * 35 * NBODIES);
}

static void
test_runpod_reads_the_keys_of_the_account(void **state)
{
	struct arena arena = {0};
	struct cloud_answer answer = decode(&arena, CLOUD_GET_SSH_KEYS, 200,
	    "{\"keys\":[\"ssh-ed25519 AAAA me@x\",\"ssh-rsa B\\n\"]}");
	(void)state;

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.nssh_keys, 2);
	assert_str(answer.ssh_keys[0], "ssh-ed25519 AAAA me@x");
	assert_str(answer.ssh_keys[1], "ssh-rsa B");
	/* Two lines would be two keys. */
	answer = decode(&arena, CLOUD_GET_SSH_KEYS, 200,
	    "{\"keys\":[\"ssh-ed25519 A\\nssh-ed25519 B\"]}");
	assert_int_equal(answer.reason, REASON_MALFORMED);
	assert_int_equal(answer.nssh_keys, 0);
	answer = decode(&arena, CLOUD_GET_SSH_KEYS, 200, "{\"keys\":[7]}");
	assert_int_equal(answer.reason, REASON_MALFORMED);
	answer = decode(&arena, CLOUD_GET_SSH_KEYS, 200, "{\"keys\":[]}");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	arena_release(&arena);
}

#define LOG_EVENT(source, line) "data: {\"ts\":\"2026-06-01T12:02:03Z\"," \
	"\"source\":\"" source "\",\"line\":\"" line "\"}"

static void
test_runpod_reads_a_log(void **state)
{
	struct arena arena = {0};
	struct cloud_answer answer = decode(&arena, CLOUD_GET_LOG, 200,
	    "\xef\xbb\xbf: hello\r\nretry: 3000\r\n\r\n"
	    "id: 2026-06-01T12:02:03Z/1\n" LOG_EVENT("system", "begin")
	    "\n\n: heartbeat\n\nevent: ping\ndata: now\n\n"
	    "data: {\"alive\":true}\r\r"
	    "id:2\nevent: message\n"
	    LOG_EVENT("container", "\\u001b[31mred\\u001b[0m") "\n\n"
	    "data: {\"line\":\ndata: \"in two\"}\n\n"
	    LOG_EVENT("container", "last") "\n"
	    "id: 2026-06-01T12:0");
	(void)state;

	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.nlines, 4);
	assert_true(answer.lines[0].system);
	assert_str(answer.lines[0].text, "begin");
	assert_str(answer.lines[0].time, "2026-06-01T12:02:03Z");
	assert_false(answer.lines[1].system);
	assert_str(answer.lines[1].text, "\033[31mred\033[0m");
	assert_str(answer.lines[2].text, "in two");
	assert_null(answer.lines[2].time.data);
	assert_str(answer.lines[3].text, "last");
	arena_release(&arena);
}

static void
test_runpod_leaves_out_a_log_line_that_is_cut(void **state)
{
	static const char *const rests[] = { "da", "data", "data: {\"li",
		"data: {\"line\":\"x\"}", "data: {\"line\":\n", ": hear", "" };
	(void)state;

	for (size_t i = 0; i < COUNTOF(rests); i++) {
		struct arena arena = {0};
		const char *body = arena_printf(&arena, "%s\n\n%s",
		    LOG_EVENT("container", "one"), rests[i]).data;
		struct cloud_answer answer = decode(&arena, CLOUD_GET_LOG,
		    200, body);
		assert_int_equal(answer.outcome, OUTCOME_OK);
		assert_int_equal(answer.nlines, 1);
		arena_release(&arena);
	}
}

static void
test_runpod_refuses_what_is_no_log(void **state)
{
	static const char *const bodies[] = {
		"<html>\n<body>\n", "{\"keys\":[]}", "data: {{}}\n\n",
		"data: {\"line\":7}\n\n", "data: {\"line\":null}\n\n",
		"data: {\"line\":\"a\",\"line\":\"b\"}\n\n",
		"HTTP/1.1 200 OK\n",
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(bodies); i++) {
		struct arena arena = {0};
		struct cloud_answer answer = decode(&arena, CLOUD_GET_LOG,
		    200, bodies[i]);
		assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
		assert_int_equal(answer.reason, REASON_MALFORMED);
		assert_int_equal(answer.nlines, 0);
		arena_release(&arena);
	}
}

static void
test_runpod_asks_for_the_log_from_a_time_or_the_last_lines(void **state)
{
	struct arena arena = {0};
	struct cloud_request request = { .op = CLOUD_GET_LOG,
		.id = STR("p1"), .tail = 7 };
	(void)state;

	assert_str(encode(&arena, request).path, "/pods/p1/logs?tail=7");
	/* The stream stays open: it is over when nothing more comes. */
	assert_true(encode(&arena, request).quiet_ms > 0);
	request.tail = 70000;
	assert_str(encode(&arena, request).path, "/pods/p1/logs?tail=5000");
	request.since = STR("2026-06-01T12:02:03+02:00");
	assert_str(encode(&arena, request).path,
	    "/pods/p1/logs?since=2026-06-01T12%3A02%3A03%2B02%3A00");
	arena_release(&arena);
}

static void
test_runpod_success_is_one_status_per_op(void **state)
{
	static const int statuses[] = { 200, 201, 202, 204 };
	(void)state;

	for (int op = 0; op < CLOUD_OP_COUNT; op++)
	for (size_t s = 0; s < COUNTOF(statuses); s++) {
		struct arena arena = {0};
		bool create = op == CLOUD_CREATE_POD ||
		    op == CLOUD_CREATE_VOLUME;
		bool end = op == CLOUD_DELETE_POD || op == CLOUD_DELETE_VOLUME;
		int good = create ? 201 : end ? 204 : 200;
		struct cloud_answer answer = decode(&arena,
		    (enum cloud_op)op, statuses[s], "");
		/* A log in which nothing was said yet is a log. */
		bool empty = op == CLOUD_GET_LOG;
		if ((end || empty) && statuses[s] == good)
			assert_int_equal(answer.outcome, OUTCOME_OK);
		else {
			assert_int_equal(answer.outcome, OUTCOME_UNKNOWN);
			assert_int_equal(answer.reason, statuses[s] == good ?
			    REASON_MALFORMED : REASON_TRANSIENT);
		}
		arena_release(&arena);
	}
}

static void
test_runpod_transport_failures_keep_their_reason(void **state)
{
	static const struct {
		enum http_outcome http;
		enum cloud_outcome outcome;
	} cases[] = {
		{ HTTP_NOT_SENT, OUTCOME_NOT_SENT },
		{ HTTP_BROKEN, OUTCOME_UNKNOWN },
		{ HTTP_TOO_LARGE, OUTCOME_UNKNOWN },
	};
	(void)state;

	for (int op = 0; op < CLOUD_OP_COUNT; op++)
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena arena = {0};
		struct cloud_answer answer;
		struct cloud_request request = { .op = (enum cloud_op)op };
		struct http_answer http = {
			.outcome = cases[i].http, .status = 201,
			.body = STR("{\"id\":\"p1\"}"),
			.reason = STR("connection refused"),
		};
		runpod.decode(&arena, &request, &http, 0, &answer);
		assert_int_equal(answer.outcome, cases[i].outcome);
		assert_int_equal(answer.reason, REASON_TRANSIENT);
		assert_int_equal(answer.npods, 0);
		assert_str(answer.message, "connection refused");
		arena_release(&arena);
	}
}

static void
test_runpod_joins_the_reasons_of_a_refusal(void **state)
{
	struct arena arena = {0};
	(void)state;
	assert_str(decode(&arena, CLOUD_CREATE_POD, 422,
	    "{\"title\":\"Unprocessable\",\"status\":422,\"detail\":"
	    "\"validation failed\",\"errors\":[\"$: additional properties "
	    "'x' not allowed\",\"$.disk: minimum 1\"]}").message,
	    "validation failed; $: additional properties 'x' not allowed; "
	    "$.disk: minimum 1");
	assert_str(decode(&arena, CLOUD_CREATE_POD, 500, "oops").message,
	    "HTTP status 500");
	arena_release(&arena);
}

static void
test_runpod_knows_the_words_for_no_capacity(void **state)
{
	static const char *const yes[] = {
		"There are no longer any instances available with the "
		    "requested specifications. Please refresh and try again.",
		"create pod: There are no instances currently available.",
		"There are no longer any instances available with enough "
		    "disk space.",
		"This machine does not have the resources to deploy your pod. "
		    "Please try a different machine",
		"create pod: could not find any pods with required "
		    "specifications",
		"start pod: There are not enough free GPUs on the host "
		    "machine to start this pod.",
	};
	static const char *const no[] = {
		"", "disk: minimum 1", "image is required",
		("You must either provide a template id or pod configuration "
		 "parameters"),
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(yes); i++)
		assert_true(classify_says_no_capacity(str_from(yes[i])));
	for (size_t i = 0; i < COUNTOF(no); i++)
		assert_false(classify_says_no_capacity(str_from(no[i])));
}

/* ----------------------------------------------------------- headers ---- */

static void
test_runpod_clamps_retry_after(void **state)
{
	static const struct {
		const char *header;
		int64_t ms;
	} cases[] = {
		{ NULL, 0 }, { "", 0 }, { "0", 0 }, { "7", 7000 },
		{ " 12 ", 12000 }, { "300", 300000 }, { "301", 300000 },
		{ "9223372036854775807", 300000 },
		{ "999999999999999999999", 300000 },
		{ "-5", 0 }, { "soon", 0 }, { "1.5", 0 }, { "7s", 0 },
		{ "Wed, 21 Oct 2015 07:28:00 GMT", 0 },
		{ "Sat, 21 Nov 2026 12:00:30 GMT", 30000 },
		{ "Sun, 21 Nov 2099 12:00:30 GMT", 300000 },
		{ "Sun, 99 Nov 2099 12:00:30 GMT", 0 },
		{ "Sun, 21 ovD 2099 12:00:30 GMT", 0 },
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		/* The answer's own date counts, not our clock. */
		assert_int_equal(headers_retry_after(
		    str_from(cases[i].header),
		    STR("Sat, 21 Nov 2026 12:00:00 GMT"), 0), cases[i].ms);
	}
	assert_int_equal(headers_retry_after(
	    STR("Sat, 21 Nov 2026 12:00:30 GMT"), (struct str){0},
	    1795262420000), 10000);
}

static void
test_runpod_reads_the_tightest_window(void **state)
{
	static const struct {
		const char *header;
		int64_t left, reset_ms;
	} cases[] = {
		{ NULL, -1, 0 }, { "nonsense", -1, 0 },
		{ "\"minute\";r=0;t=12, \"hour\";r=2800;t=1812, "
		    "\"day\";r=49500;t=45012", 0, 12000 },
		{ "\"minute\";r=50;t=12, \"hour\";r=3;t=1812", 3, 1812000 },
		{ "\"minute\";r=5;t=12, \"hour\";r=5;t=60", 5, 60000 },
		{ "\"minute\";r=-1;t=12, \"hour\";r=9", 9, 0 },
		{ "\"x\";r=1;t=99999999999999999999", 1, 604800000 },
	};
	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int64_t left, reset_ms;
		classify_rate_limit(str_from(cases[i].header), &left,
		    &reset_ms);
		assert_int_equal(left, cases[i].left);
		assert_int_equal(reset_ms, cases[i].reset_ms);
	}
}

static void
test_runpod_knows_what_is_injected(void **state)
{
	(void)state;
	assert_non_null(runpod_injected_find(STR("RUNPOD_TCP_PORT_22")));
	assert_non_null(runpod_injected_find(STR("PUBLIC_KEY")));
	assert_null(runpod_injected_find(STR("PUBLIC_KEYS")));
	assert_null(runpod_injected_find(STR("MODE")));
	assert_null(runpod_injected_find(STR("PODFORM_MARK")));
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
		cmocka_unit_test(test_runpod_classifies_every_refusal),
		cmocka_unit_test(test_runpod_reads_the_keys_of_the_account),
		cmocka_unit_test(test_runpod_reads_a_log),
		cmocka_unit_test(test_runpod_leaves_out_a_log_line_that_is_cut),
		cmocka_unit_test(test_runpod_refuses_what_is_no_log),
		cmocka_unit_test(
		    test_runpod_asks_for_the_log_from_a_time_or_the_last_lines),
		cmocka_unit_test(test_runpod_success_is_one_status_per_op),
		cmocka_unit_test(
		    test_runpod_transport_failures_keep_their_reason),
		cmocka_unit_test(test_runpod_joins_the_reasons_of_a_refusal),
		cmocka_unit_test(test_runpod_knows_the_words_for_no_capacity),
		cmocka_unit_test(test_runpod_clamps_retry_after),
		cmocka_unit_test(test_runpod_reads_the_tightest_window),
		cmocka_unit_test(test_runpod_knows_what_is_injected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
