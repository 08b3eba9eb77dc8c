/*
 * test_model_refusals.c - what RunPod's REST does not take, in the words that
 * its users see; by tables of one request each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/private.h"
#include "model_world.h"

struct row {
	const char *method, *path, *query, *body;
	int status;
	const char *part;
};

static void
check(struct world *world, const struct row *rows, size_t n)
{
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++) {
		struct str body = world_ask(world, rows[i].method,
		    rows[i].path, rows[i].query, rows[i].body);
		if (world->reply.status == rows[i].status &&
		    str_search(body, str_from(rows[i].part)) >= 0)
			continue;
		print_error("%s %s?%s %s: %d %.*s\n", rows[i].method,
		    rows[i].path, rows[i].query, rows[i].body,
		    world->reply.status, body.len > 600 ? 600 : (int)body.len,
		    body.data);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

#define CHECK(world, rows) check((world), (rows), COUNTOF(rows))

/* The id of what was just made. */
static const char *
made(struct world *world, const char *path, const char *body)
{
	struct str answer = world_ask(world, "POST", path, NULL, body), rest;
	ptrdiff_t at = str_search(answer, STR("\"id\":\""));

	if (world->reply.status != 201 || at < 0)
		fail_msg("%s: %d %.*s", path, world->reply.status,
		    (int)answer.len, answer.data);
	return arena_cstr(&world->arena, str_cut(str_sub(answer,
	    (size_t)at + 6, answer.len), '"', &rest));
}

/* ---------------------------------------------------------------- shapes ---- */

#define POD(more) "{\"name\":\"a\",\"image\":\"x\",\"disk\":20," \
	"\"gpu\":{\"id\":\"NVIDIA A40\",\"count\":1}" more "}"

static void
test_model_says_what_is_wrong_with_a_body(void **state)
{
	static const struct row rows[] = {
		{ "POST", "/v2/pods", NULL, POD(",\"odd\":1"), 422,
		  "$: additional properties 'odd' not allowed" },
		{ "POST", "/v2/pods", NULL, POD(",\"ports\":7"), 422,
		  "$.ports: got integer, want array" },
		{ "POST", "/v2/pods", NULL, POD(",\"ports\":[7.5]"), 422,
		  "$.ports[0]: got number, want string" },
		{ "POST", "/v2/pods", NULL, POD(",\"ports\":[null]"), 422,
		  "$.ports[0]: got null, want string" },
		{ "POST", "/v2/pods", NULL, POD(",\"env\":[]"), 422,
		  "$.env: got array, want object" },
		{ "POST", "/v2/pods", NULL, POD(",\"env\":{\"A\":{}}"), 422,
		  "$.env.A: got object, want string" },
		{ "POST", "/v2/pods", NULL, POD(",\"env\":{\"A\":true}"), 422,
		  "$.env.A: got boolean, want string" },
		{ "POST", "/v2/pods", NULL, POD(",\"cloud\":\"MOON\""), 422,
		  "$.cloud: 'MOON' is not one of the allowed values" },
		{ "POST", "/v2/pods", NULL, POD(",\"startSsh\":\"yes\""), 422,
		  "$.startSsh: got string, want boolean" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"disk\":-1,\"gpu\":{\"id\":\"g\",\"count\":1}}", 422,
		  "$.disk: minimum: got -1, want" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"disk\":99999999999,\"gpu\":{\"id\":\"g\",\"count\":1}}",
		  422, "$.disk: maximum: got 99999999999" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"gpu\":7}", 422, "$.gpu: got integer, want object" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"gpu\":{\"count\":1}}", 422,
		  "$.gpu: missing property 'id'" },
		{ "POST", "/v2/pods", NULL, POD(",\"mounts\":{\"network\":["
		  "{\"volumeId\":\"a\",\"path\":\"/a\"},{\"volumeId\":\"b\","
		  "\"path\":\"/b\"}]}"), 422, "maxItems" },
		{ "POST", "/v2/pods", NULL, "[]", 422, "" },
		{ "POST", "/v2/pods", NULL, "{", 400, "" },
		{ "PUT", "/v2/account/ssh-keys", NULL, "{\"keys\":[\"dsa x\"]}",
		  422, "does not match pattern" },
		{ "PUT", "/v2/account/ssh-keys", NULL, "{\"keys\":[\"ssh- x\"]"
		  "}", 422, "does not match pattern" },
		{ "PUT", "/v2/account/ssh-keys", NULL,
		  "{\"keys\":[\"ssh-a\\tb x\"]}", 422,
		  "does not match pattern" },
		{ "PUT", "/v2/account/ssh-keys", NULL,
		  "{\"keys\":[\"ssh-a x\\ny\"]}", 422,
		  "does not match pattern" },
		{ "PUT", "/v2/account/ssh-keys", NULL,
		  "{\"keys\":[\"ssh-a x\\ry\"]}", 422,
		  "does not match pattern" },
		{ "PUT", "/v2/account/ssh-keys", NULL, "{\"keys\":[\"ssh-a\"]"
		  "}", 422, "does not match pattern" },
		{ "PUT", "/v2/account/ssh-keys", NULL, "{\"keys\":["
		  "\"ssh-ed25519 AAAA me\",\"ecdsa-x BBBB\",\"sk-y CCCC\"]}",
		  200, "sk-y CCCC" },
	};
	CHECK(*state, rows);
}

/* ------------------------------------------------------------------ pods ---- */

static void
test_model_says_why_there_is_no_pod(void **state)
{
	static const struct row rows[] = {
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\"}",
		  400, "exactly one of gpu or cpu must be set" },
		{ "POST", "/v2/pods", NULL, POD(",\"cpu\":{\"id\":\"cpu3c\","
		  "\"vcpuCount\":2}"), 400, "exactly one of gpu or cpu" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"gpu\":{\"id\":"
		  "\"NVIDIA A40\",\"count\":1}}", 422,
		  "$: missing property 'image'" },
		{ "POST", "/v2/pods", NULL, POD(",\"templateId\":\"none\""),
		  404, "resource not found" },
		{ "POST", "/v2/pods", NULL, POD(",\"ports\":[\"22\"]"), 400,
		  "invalid port '22'" },
		{ "POST", "/v2/pods", NULL, POD(",\"ports\":[\"1/http\","
		  "\"2/http\",\"3/http\",\"4/http\",\"5/http\",\"6/http\","
		  "\"7/http\",\"8/http\",\"9/http\",\"10/http\",\"11/http\"]"),
		  400, "a pod has at most 10 http ports" },
		{ "POST", "/v2/pods", NULL, POD(",\"registry\":\"none\""), 400,
		  "registry not found" },
		{ "POST", "/v2/pods", NULL, POD(",\"mounts\":{\"persistent\":"
		  "{\"size\":10,\"path\":\"/a\"},\"network\":[{\"volumeId\":"
		  "\"v\",\"path\":\"/b\"}]}"), 400,
		  "only one of persistent and network may be set" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"cpu\":{\"id\":\"cpu3c\",\"vcpuCount\":2},\"mounts\":{"
		  "\"persistent\":{\"size\":10,\"path\":\"/a\"}}}", 400,
		  "CPU pods have no persistent mount" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"cpu\":{\"id\":\"cpu3c\",\"vcpuCount\":6}}", 400,
		  "vcpuCount must be a power of two" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"cpu\":{\"id\":\"cpu3c\",\"vcpuCount\":128}}", 400,
		  "vcpuCount must be a power of two" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"cpu\":{\"id\":\"moon\",\"vcpuCount\":2}}", 400,
		  "CPU flavor not found" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"gpu\":{\"id\":\"NVIDIA A40\"}}", 400,
		  "There are no instances currently available" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"gpu\":{\"id\":\"NVIDIA A40\",\"count\":1,"
		  "\"allowedCudaVersions\":[\"12.4\"],\"minCudaVersion\":"
		  "\"12.4\"}}", 400, "are mutually exclusive" },
		{ "POST", "/v2/pods", NULL, "{\"name\":\"a\",\"image\":\"x\","
		  "\"gpu\":{\"id\":\"NVIDIA Moon\",\"count\":1}}", 400,
		  "GPU type not found" },
		{ "POST", "/v2/pods", NULL, POD(",\"dataCenterIds\":[\"MOON\"]"
		  ), 400, "" },
		{ "POST", "/v2/pods", NULL, POD(",\"mounts\":{\"network\":[{"
		  "\"volumeId\":\"none\",\"path\":\"/b\"}]}"), 404, "" },
		{ "GET", "/v2/pods/none", NULL, NULL, 404,
		  "resource not found" },
		{ "PATCH", "/v2/pods/none", NULL, "{\"name\":\"b\"}", 404,
		  "resource not found" },
		{ "DELETE", "/v2/pods/none", NULL, NULL, 404,
		  "resource not found" },
		{ "POST", "/v2/pods/none/action", NULL,
		  "{\"action\":\"stop\"}", 404, "resource not found" },
		{ "GET", "/v2/pods", "limit=0", NULL, 422,
		  "limit must be between 1 and 1000" },
		{ "GET", "/v2/pods", "limit=1001", NULL, 422,
		  "limit must be between 1 and 1000" },
		{ "GET", "/v2/pods", "limit=x", NULL, 422,
		  "limit must be between 1 and 1000" },
		{ "GET", "/v2/pods", "limit=", NULL, 422,
		  "limit must be between 1 and 1000" },
		{ "GET", "/v2/pods", "cursor=nonsense", NULL, 422,
		  "invalid cursor" },
		{ "GET", "/v2/pods", "cursor=000000000000", NULL, 422,
		  "invalid cursor" },
		{ "GET", "/v2/nothing", NULL, NULL, 404, "" },
	};
	struct world *world = *state;

	CHECK(world, rows);
	assert_int_equal(model_pod_count(world->model), 0);
}

static void
test_model_changes_of_a_pod_what_may_change(void **state)
{
	struct world *world = *state;
	const char *volume = made(world, "/v2/network-volumes",
	    "{\"name\":\"v\",\"size\":10,\"dataCenter\":\"EU-RO-1\"}");
	const char *disk = made(world, "/v2/pods", POD(",\"mounts\":{"
	    "\"persistent\":{\"size\":20,\"path\":\"/p\"}}"));
	const char *net = made(world, "/v2/pods", arena_printf(&world->arena,
	    POD(",\"dataCenterIds\":[\"EU-RO-1\"],\"mounts\":{\"network\":[{"
	    "\"volumeId\":\"%s\",\"path\":\"/n\"}]}"), volume).data);
	const char *none = made(world, "/v2/pods", POD(""));
	const struct { const char *pod, *body; int status; const char *part; }
	cases[] = {
		{ disk, "{}", 200, "\"size\":20,\"path\":\"/p\"" },
		{ disk, "{\"mounts\":{\"persistent\":{\"size\":10,\"path\":"
		  "\"/p\"}}}", 400, "persistent mount cannot shrink" },
		{ disk, "{\"mounts\":{\"persistent\":{\"size\":30,\"path\":"
		  "\"/q\"}}}", 200, "\"size\":30,\"path\":\"/q\"" },
		{ none, "{\"mounts\":{\"persistent\":{\"size\":10,\"path\":"
		  "\"/p\"}}}", 400, "the kind of a pod's mount cannot change" },
		{ none, "{\"mounts\":{\"network\":[{\"volumeId\":\"other\","
		  "\"path\":\"/n\"}]}}", 400,
		  "the kind of a pod's mount cannot change" },
		{ net, "{\"mounts\":{\"network\":[{\"volumeId\":\"other\","
		  "\"path\":\"/n\"}]}}", 400,
		  "volumeId of a network mount is immutable" },
		{ net, arena_printf(&world->arena, "{\"mounts\":{\"network\":"
		  "[{\"volumeId\":\"%s\",\"path\":\"/m\"}]}}", volume).data,
		  200, "\"path\":\"/m\"" },
		{ none, "{\"name\":\"renamed\"}", 200, "\"name\":\"renamed\"" },
		{ none, "{\"image\":\"y\",\"args\":\"z\",\"disk\":30,"
		  "\"ports\":[\"80/http\"],\"env\":{\"B\":\"2\"}}", 200,
		  "\"image\":\"y\"" },
		{ none, "{\"registry\":\"none\"}", 400, "registry not found" },
		{ none, "{\"registry\":null}", 200, "\"registry\":null" },
		{ none, "{\"templateId\":\"none\"}", 404,
		  "resource not found" },
		{ none, "{\"ports\":[\"x\"]}", 400, "invalid port 'x'" },
		/* Locked: only what lets it go, or leaves it alone. */
		{ none, "{\"locked\":true}", 200, "\"locked\":true" },
		{ none, "{\"image\":\"z\"}", 409, "pod is locked" },
		{ none, "{\"name\":\"other\"}", 200, "\"name\":\"other\"" },
		{ none, "{\"locked\":false,\"image\":\"z\"}", 200,
		  "\"locked\":false" },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct row row = { "PATCH", world_under(world, "/v2/pods/",
		    cases[i].pod), NULL, cases[i].body, cases[i].status,
		    cases[i].part };
		check(world, &row, 1);
	}
}

static void
test_model_makes_pods_of_templates(void **state)
{
	struct world *world = *state;
	const char *template = made(world, "/v2/templates", "{\"name\":\"t\","
	    "\"image\":\"ti\",\"args\":\"ta\",\"disk\":11,\"ports\":["
	    "\"80/http\"],\"env\":{\"A\":\"t\",\"B\":\"t\"}}");
	const struct row rows[] = {
		{ "POST", "/v2/templates", NULL, "{\"name\":\"t\",\"image\":"
		  "\"x\"}", 400, "unique" },
		{ "GET", "/v2/catalog/templates", "source=odd", NULL, 422,
		  "unknown source" },
		{ "GET", "/v2/templates/none", NULL, NULL, 404,
		  "resource not found" },
		{ "PATCH", "/v2/templates/none", NULL, "{\"name\":\"x\"}", 404,
		  "resource not found" },
		{ "DELETE", "/v2/templates/none", NULL, NULL, 404,
		  "resource not found" },
		{ "POST", "/v2/pods", NULL, arena_printf(&world->arena,
		  "{\"name\":\"a\",\"templateId\":\"%s\",\"env\":{\"A\":\"p\","
		  "\"C\":\"p\"},\"gpu\":{\"id\":\"NVIDIA A40\",\"count\":1}}",
		  template).data, 201, "\"image\":\"ti\"" },
		{ "DELETE", arena_printf(&world->arena, "/v2/templates/%s",
		  template).data, NULL, NULL, 204, "" },
		{ "DELETE", arena_printf(&world->arena, "/v2/templates/%s",
		  template).data, NULL, NULL, 404, "resource not found" },
	};

	CHECK(world, rows);
	struct str body = world_ask(world, "GET", "/v2/pods", NULL, NULL);
	assert_has(body, "\"args\":\"ta\"");
	assert_has(body, "\"disk\":11");
	assert_has(body, "\"80/http\"");
	/* What the body says wins. */
	assert_has(body, "\"A\":\"p\"");
	assert_has(body, "\"B\":\"t\"");
	assert_has(body, "\"C\":\"p\"");
}

/* ------------------------------------------------------- all that is else ---- */

static void
test_model_says_what_is_wrong_with_a_question(void **state)
{
	static const struct row rows[] = {
		{ "GET", "/v2/catalog/gpus", "include=ODD", NULL, 422,
		  "unknown include" },
		{ "GET", "/v2/catalog/gpus", "count=2", NULL, 400,
		  "count is valid only with include=AVAILABILITY" },
		{ "GET", "/v2/catalog/gpus", "include=AVAILABILITY", NULL, 400,
		  "product is required with include=AVAILABILITY" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=ODD", NULL, 422,
		  "unknown product" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD,CLUSTER,SERVERLESS", NULL,
		  200, "\"availability\":" },
		{ "GET", "/v2/catalog/cpus",
		  "include=AVAILABILITY&product=CLUSTER", NULL, 422,
		  "unknown product" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD&count=0", NULL, 422,
		  "count must be at least 1" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD&count=x", NULL, 422,
		  "count must be at least 1" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD&count=9999999999", NULL,
		  422, "count must be at least 1" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD&cloud=ODD", NULL, 422,
		  "unknown cloud" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD&cloud=COMMUNITY", NULL,
		  200, "\"gpus\":[" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD&countryCodes=RO,NOPE",
		  NULL, 422, "malformed country code" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD&countryCodes=RO", NULL,
		  200, "\"gpus\":[" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD&cudaVersions=12", NULL,
		  422, "malformed CUDA version" },
		{ "GET", "/v2/catalog/gpus",
		  "include=AVAILABILITY&product=POD&cudaVersions=12.x", NULL,
		  422, "malformed CUDA version" },
		{ "GET", "/v2/catalog/gpus", "include=AVAILABILITY&product=POD"
		  "&cudaVersions=12.4&minCudaVersion=12.4", NULL, 400,
		  "are mutually exclusive" },
		{ "GET", "/v2/catalog/gpus", "include=AVAILABILITY&product=POD"
		  "&cudaVersions=12.4,12.8", NULL, 200, "\"gpus\":[" },
		{ "GET", "/v2/catalog/gpus", "include=AVAILABILITY&product=POD"
		  "&minCudaVersion=12.4", NULL, 200, "\"gpus\":[" },
		{ "GET", "/v2/catalog/gpus/none", NULL, NULL, 404, "" },
		{ "GET", "/v2/catalog/cpus/none", NULL, NULL, 404, "" },
		{ "GET", "/v2/catalog/datacenters/none", NULL, NULL, 404,
		  "resource not found" },
		{ "GET", "/v2/catalog/datacenters", "include=ODD", NULL, 422,
		  "unknown include" },
		{ "GET", "/v2/catalog/datacenters/EU-RO-1", NULL, NULL, 200,
		  "\"EU-RO-1\"" },
		{ "GET", "/v2/billing", "bucketSize=minute", NULL, 422,
		  "unknown bucketSize" },
		{ "GET", "/v2/billing", "lastN=0", NULL, 422,
		  "lastN must be between 1 and 1000" },
		{ "GET", "/v2/billing", "lastN=x", NULL, 422,
		  "lastN must be between 1 and 1000" },
		{ "GET", "/v2/billing", "lastN=1001", NULL, 422,
		  "lastN must be between 1 and 1000" },
		{ "GET", "/v2/billing",
		  "lastN=1&startTime=2026-01-01T00:00:00Z", NULL, 400,
		  "are mutually exclusive" },
		{ "GET", "/v2/billing",
		  "lastN=1&endTime=2026-01-01T00:00:00Z", NULL, 400,
		  "are mutually exclusive" },
		{ "GET", "/v2/billing", "startTime=soon", NULL, 422,
		  "malformed time" },
		{ "GET", "/v2/billing", "endTime=2026-13-01T00:00:00Z", NULL,
		  422, "malformed time" },
		{ "GET", "/v2/billing", "startTime=2026-11-22T00:00:00Z&"
		  "endTime=2026-11-21T00:00:00Z", NULL, 400,
		  "startTime must be before endTime" },
		{ "GET", "/v2/billing", "bucketSize=hour&startTime="
		  "0001-01-01T00:00:00Z", NULL, 400, "the window is too long" },
		{ "GET", "/v2/billing", "bucketSize=year&lastN=3", NULL, 200,
		  "" },
		{ "GET", "/v2/billing/pods", "bucketSize=week&lastN=2", NULL,
		  200, "" },
		{ "GET", "/v2/billing/network-volumes",
		  "bucketSize=month&lastN=2", NULL, 200, "" },
		{ "POST", "/v2/network-volumes", NULL, "{\"name\":\"v\","
		  "\"size\":10,\"dataCenter\":\"MOON\"}", 400,
		  "Data center not found or does not support" },
		{ "GET", "/v2/network-volumes/none", NULL, NULL, 404,
		  "resource not found" },
		{ "PATCH", "/v2/network-volumes/none", NULL,
		  "{\"name\":\"x\"}", 404, "resource not found" },
		{ "DELETE", "/v2/network-volumes/none", NULL, NULL, 404,
		  "resource not found" },
		{ "GET", "/v2/registries/none", NULL, NULL, 404,
		  "resource not found" },
		{ "DELETE", "/v2/registries/none", NULL, NULL, 404,
		  "resource not found" },
		{ "POST", "/v2/registries", NULL, "{\"name\":\"r\","
		  "\"username\":\"u\",\"password\":\"p\"}", 201,
		  "\"name\":\"r\"" },
		{ "POST", "/v2/registries", NULL, "{\"name\":\"r\","
		  "\"username\":\"u\",\"password\":\"p\"}", 400,
		  "registry name must be unique" },
	};
	CHECK(*state, rows);
}

static void
test_model_keeps_the_size_of_a_volume(void **state)
{
	struct world *world = *state;
	const char *path = world_under(world, "/v2/network-volumes/", made(
	    world, "/v2/network-volumes", "{\"name\":\"v\",\"size\":20,"
	    "\"dataCenter\":\"EU-RO-1\"}"));
	const struct row rows[] = {
		{ "PATCH", path, NULL, "{\"size\":10}", 400,
		  "network volume size cannot be reduced" },
		{ "PATCH", path, NULL, "{\"name\":\"w\"}", 200,
		  "\"name\":\"w\"" },
		{ "PATCH", path, NULL, "{\"size\":30}", 200, "\"size\":30" },
		{ "DELETE", path, NULL, NULL, 204, "" },
		{ "DELETE", path, NULL, NULL, 404, "resource not found" },
		{ "PATCH", path, NULL, "{\"size\":40}", 404,
		  "resource not found" },
	};
	CHECK(world, rows);
}

static void
test_model_reads_times_as_rfc_3339_has_them(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t ms;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", true, 0 },
		{ "1969-12-31T23:59:59Z", true, -1000 },
		{ "2026-11-21T09:00:00Z", true, WORLD_START },
		{ "2026-11-21T09:00:00.5Z", true, WORLD_START + 500 },
		{ "2026-11-21T09:00:00.123456Z", true, WORLD_START + 123 },
		{ "2026-11-21T10:30:00+01:30", true, WORLD_START },
		{ "2026-11-21T07:30:00-01:30", true, WORLD_START },
		{ "2000-02-29T00:00:00Z", true, INT64_C(951782400000) },
		{ "", false, 0 }, { "2026", false, 0 },
		{ "2026-1-21T09:00:00Z", false, 0 },
		{ "2026/11/21T09:00:00Z", false, 0 },
		{ "2026-11/21T09:00:00Z", false, 0 },
		{ "2026-11-2xT09:00:00Z", false, 0 },
		{ "2026-11-21 09:00:00Z", false, 0 },
		{ "2026-11-21Tx9:00:00Z", false, 0 },
		{ "2026-11-21T09.00:00Z", false, 0 },
		{ "2026-11-21T09:x0:00Z", false, 0 },
		{ "2026-11-21T09:00.00Z", false, 0 },
		{ "2026-11-21T09:00:xxZ", false, 0 },
		{ "2026-00-21T09:00:00Z", false, 0 },
		{ "2026-13-21T09:00:00Z", false, 0 },
		{ "2026-11-00T09:00:00Z", false, 0 },
		{ "2026-11-32T09:00:00Z", false, 0 },
		{ "2026-11-21T24:00:00Z", false, 0 },
		{ "2026-11-21T09:60:00Z", false, 0 },
		{ "2026-11-21T09:00:61Z", false, 0 },
		{ "2026-11-21T09:00:00", false, 0 },
		{ "2026-11-21T09:00:00X", false, 0 },
		{ "2026-11-21T09:00:00ZZ", false, 0 },
		{ "2026-11-21T09:00:00+1:30", false, 0 },
		{ "2026-11-21T09:00:00+01-30", false, 0 },
		{ "2026-11-21T09:00:00+01:3", false, 0 },
		{ "2026-11-21T09:00:00+01:300", false, 0 },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int64_t ms = 0;
		bool ok = model_parse_time(str_from(cases[i].text), &ms);
		if (ok != cases[i].ok || (ok && ms != cases[i].ms))
			fail_msg("%s: %d %lld", cases[i].text, ok,
			    (long long)ms);
	}
	assert_has(model_rfc3339(&arena, -1), "1969-12-31T23:59:59.999Z");
	assert_has(model_prose_time(&arena, 0),
	    "Thu Jan 01 1970 00:00:00 GMT+0000");
	arena_release(&arena);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_model_says_what_is_wrong_with_a_body),
		TEST(test_model_says_why_there_is_no_pod),
		TEST(test_model_changes_of_a_pod_what_may_change),
		TEST(test_model_makes_pods_of_templates),
		TEST(test_model_says_what_is_wrong_with_a_question),
		TEST(test_model_keeps_the_size_of_a_volume),
		TEST(test_model_reads_times_as_rfc_3339_has_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
