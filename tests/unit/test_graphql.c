/* test_graphql.c - GraphQL of the model: the language, the schema, pods */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "model/graphql_parse.h"
#include "base/strbuf.h"
#include "model/model.h"

#define START_MS INT64_C(1795000000000)

struct world {
	struct model *model;
	struct arena arena;
	int64_t now_ms;
	const char *key;	/* header value; NULL for none */
	const char *query;	/* of the URL */
	int status;
};

static int
set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct model_config config;

	model_config_default(&config);
	config.rate_limit = false;
	config.early_running_per_mille = 0;
	world->now_ms = START_MS;
	world->model = model_new(&config, START_MS);
	world->key = "Bearer rpa_sim";
	world->query = "";
	*state = world;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	model_free(world->model);
	arena_release(&world->arena);
	free(world);
	return 0;
}

/* POST a body to /graphql; the answer's body as a C string. */
static const char *
post(struct world *world, struct str body)
{
	struct model_request request = { .method = STR("POST"),
	    .path = STR("/graphql"), .query = str_from(world->query),
	    .authorization = str_from(world->key), .body = body };
	struct model_reply reply = {0};

	model_http(world->model, world->now_ms, &world->arena, &request,
	    &reply);
	world->status = reply.status;
	return arena_cstr(&world->arena, reply.body);
}

static const char *
ask_with(struct world *world, const char *query, const char *variables)
{
	struct strbuf body = {0};
	const char *answer;

	strbuf_adds(&body, "{\"query\":");
	strbuf_add_json(&body, str_from(query));
	if (variables != NULL)
		strbuf_addf(&body, ",\"variables\":%s", variables);
	strbuf_addc(&body, '}');
	answer = post(world, strbuf_str(&body));
	strbuf_release(&body);
	return answer;
}

static const char *
ask(struct world *world, const char *query)
{
	return ask_with(world, query, NULL);
}

static void
expect_part(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' lacks '%s'", text, part);
}

static void
expect_no_part(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("'%s' has '%s'", text, part);
}

/* The value of a "id":"..." in an answer. */
static const char *
id_in(struct world *world, const char *answer)
{
	const char *at = strstr(answer, "\"id\":\"");

	if (at == NULL)
		fail_msg("no id in '%s'", answer);
	return arena_cstr(&world->arena, (struct str){ at + 6,
	    strcspn(at + 6, "\"") });
}

static const char *
with_id(struct world *world, const char *before, const char *id,
    const char *after)
{
	return arena_printf(&world->arena, "%s%s%s", before, id, after).data;
}

static const char *
new_pod(struct world *world)
{
	return id_in(world, ask(world, "mutation { podFindAndDeployOnDemand("
	    "input: { name: \"one\", imageName: \"runpod/stack\", cloudType: "
	    "SECURE, gpuTypeId: \"NVIDIA A40\", gpuCount: 2, ports: "
	    "\"8888/http, 22/tcp\", containerDiskInGb: 10, volumeInGb: 40, "
	    "volumeMountPath: \"/data\", env: [{ key: \"A\", value: \"1\" }, "
	    "{ key: \"B\", value: \"x=y\" }] }) { id } }"));
}

/* ------------------------------------------------------ the language ---- */

static void
test_graphql_parse_reads_every_literal(void **state)
{
	struct gql_document doc;
	struct gql_error error;
	struct arena arena = {0};
	const struct gql_selection *field;

	(void)state;
	assert_true(gql_parse(&arena, STR("# comment\nquery Q($a: [Int!]! = "
	    "[1 2], $b: String) @x { one: f(i: -1, f: 1.5e3, s: \"a\\u00e9\\n"
	    "\\ud83d\\ude00\", t: true, n: null, e: RED, l: [1,2,[3]], o: {k: "
	    "{v: $a}}, b: \"\"\"\n    two\n      lines\n    \"\"\") { g, h } }"),
	    &doc, &error));
	assert_int_equal(doc.operations.items[0].variables.n, 2);
	assert_true(doc.operations.items[0].variables.items[0].type.list);
	field = &doc.operations.items[0].set.list.items[0];
	assert_true(str_is(field->alias, "one"));
	assert_int_equal(field->args.n, 9);
	assert_true(str_is(field->args.items[2].value.text,
	    "a\xc3\xa9\n\xf0\x9f\x98\x80"));
	assert_int_equal(field->args.items[5].value.kind, GQL_ENUM);
	assert_int_equal(field->args.items[6].value.items.n, 3);
	assert_true(str_is(field->args.items[8].value.text, "two\n  lines"));
	assert_int_equal(field->set.list.n, 2);
	arena_release(&arena);
}

static void
test_graphql_parse_says_where_it_stopped(void **state)
{
	static const struct {
		struct str text;
		size_t offset;
		const char *message;
	} cases[] = {
		{ STR_INIT("{ a "), 4,
		    "Syntax Error: Expected Name, found <EOF>." },
		{ STR_INIT("{ a(x: ) }"), 7, "Syntax Error: Unexpected \")\"." },
		{ STR_INIT("{ a(x 1) }"), 6,
		    "Syntax Error: Expected \":\", found \"1\"." },
		{ STR_INIT("{ a(x: \"b) }"), 12,
		    "Syntax Error: Unterminated string." },
		{ STR_INIT("{ a(x: \"\\q\") }"), 10,
		    "Syntax Error: Invalid character escape sequence." },
		{ STR_INIT("{ a(x: 01) }"), 7,
		    "Syntax Error: Invalid number, unexpected digit after 0." },
		{ STR_INIT("{ a(x: \"\\ud800\") }"), 14,
		    "Syntax Error: Invalid character escape sequence." },
		{ STR_INIT("{}"), 1,
		    "Syntax Error: Expected Name, found \"}\"." },
		{ STR_INIT("type X { y: Z }"), 0,
		    "Syntax Error: Unexpected Name \"type\"." },
		{ STR_INIT(""), 0, "Syntax Error: Unexpected <EOF>." },
		{ STR_INIT("query ($a: Int = $b) { c }"), 17,
		    "Syntax Error: Unexpected \"$\"." },
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct gql_document doc;
		struct gql_error error = {0};

		assert_false(gql_parse(&arena, cases[i].text, &doc, &error));
		assert_string_equal(arena_cstr(&arena, error.message),
		    cases[i].message);
		assert_int_equal(error.offset, cases[i].offset);
	}
	arena_release(&arena);
}

static void
test_graphql_parse_bounds_depth(void **state)
{
	struct gql_document doc;
	struct gql_error error;
	struct arena arena = {0};
	struct strbuf text = {0};

	(void)state;
	strbuf_pad(&text, 100000, '{');
	for (size_t i = 1; i < text.len; i += 2)
		text.data[i] = 'a';
	assert_false(gql_parse(&arena, strbuf_str(&text), &doc, &error));
	expect_part(arena_cstr(&arena, error.message), "nested deeper");
	strbuf_reset(&text);
	strbuf_adds(&text, "{a(x:");
	strbuf_pad(&text, 100000, '[');
	assert_false(gql_parse(&arena, strbuf_str(&text), &doc, &error));
	expect_part(arena_cstr(&arena, error.message), "nested deeper");
	strbuf_release(&text);
	arena_release(&arena);
}

/* --------------------------------------------------------- the schema ---- */

static void
test_graphql_refuses_what_the_schema_lacks(void **state)
{
	static const char *const cases[][2] = {
		{ "{ gpuTypes { id lowestPrice(input: {gpuCount: 1}) { "
		    "interruptablePrice } } }", "Cannot query field "
		    "\\\"interruptablePrice\\\" on type \\\"LowestPrice\\\"." },
		{ "{ nothing }",
		    "Cannot query field \\\"nothing\\\" on type \\\"Query\\\"." },
		{ "{ myself }", "must have a selection of subfields" },
		{ "{ myself { id { x } } }", "must not have a selection" },
		{ "{ pod(input: {}) { id } }", "Field \\\"PodFilter.podId\\\" "
		    "of required type \\\"String!\\\" was not provided." },
		{ "{ pod(input: {podId: 5}) { id } }",
		    "String cannot represent a non string value: 5" },
		{ "{ pod(inptu: {podId: \\\"x\\\"}) { id } }", "Syntax Error" },
		{ "{ pod(id: \"x\") { id } }",
		    "Unknown argument \\\"id\\\" on field \\\"Query.pod\\\"." },
		{ "{ gpuTypes(input: {idd: \"x\"}) { id } }", "Field \\\"idd\\\""
		    " is not defined by type \\\"GpuTypeFilter\\\"." },
		{ "mutation { podFindAndDeployOnDemand(input: {cloudType: "
		    "MOON}) { id } }", "Value \\\"MOON\\\" does not exist in "
		    "\\\"CloudTypeEnum\\\" enum." },
		{ "mutation { podFindAndDeployOnDemand(input: {gpuCount: "
		    "1.5}) { id } }",
		    "Int cannot represent non-integer value: 1.5" },
		{ "mutation { podStop { id } }", "argument \\\"input\\\" of "
		    "type \\\"PodStopInput!\\\" is required" },
		{ "mutation { deleteTemplate(id: \"x\") }",
		    "Unknown argument \\\"id\\\"" },
		{ "mutation { podTerminate(input: {podId: \"x\"}) { id } }",
		    "must not have a selection since type \\\"Void\\\"" },
		{ "{ a: countryCodes a: cpuTypes { id } }",
		    "are different fields" },
		{ "{ ...F }", "Unknown fragment \\\"F\\\"." },
		{ "{ ...F } fragment F on Query { ...F }", "within itself" },
		{ "{ __schema { types { name } } }", "introspection" },
		{ "query ($x: Nope) { countryCodes }",
		    "Unknown type \\\"Nope\\\"." },
		{ "{ pod(input: $i) { id } }",
		    "Variable \\\"$i\\\" is not defined." },
		{ "query ($i: String) { pod(input: {podId: $i}) { id } }",
		    "used in position expecting type \\\"String!\\\"" },
		{ "subscription { x }", "not configured to execute" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const char *answer = ask(world, cases[i][0]);

		expect_part(answer, cases[i][1]);
		expect_no_part(answer, "\"data\"");
		assert_int_equal(world->status, 400);
	}
	expect_part(ask(world, "{ nothing }"),
	    "{\"errors\":[{\"message\":\"Cannot query field \\\"nothing\\\" on "
	    "type \\\"Query\\\".\",\"locations\":[{\"line\":1,\"column\":3}],"
	    "\"extensions\":{\"code\":\"GRAPHQL_VALIDATION_FAILED\"}}]}");
}

static void
test_graphql_bounds_fragments_that_multiply(void **state)
{
	struct world *world = *state;
	struct strbuf text = {0};

	strbuf_adds(&text, "{ ...F0 }");
	for (int i = 0; i < 30; i++)
		strbuf_addf(&text, " fragment F%d on Query { ...F%d ...F%d }",
		    i, i + 1, i + 1);
	strbuf_adds(&text, " fragment F30 on Query { countryCodes }");
	expect_part(ask(world, text.data), "Query is too complex.");
	assert_int_equal(world->status, 400);
	strbuf_release(&text);
}

static void
test_graphql_reads_variables(void **state)
{
	struct world *world = *state;
	const char *query = "query Q($in: GpuTypeFilter, $n: Int = 2) { "
	    "gpuTypes(input: $in) { id lowestPrice(input: {gpuCount: $n}) { "
	    "minVcpu } } }";
	const char *two = ask_with(world, query,
	    "{\"in\":{\"id\":\"NVIDIA A40\"}}");

	assert_int_equal(world->status, 200);
	expect_part(two, "{\"data\":{\"gpuTypes\":[{\"id\":\"NVIDIA A40\",");
	assert_string_not_equal(two, ask_with(world, query,
	    "{\"in\":{\"id\":\"NVIDIA A40\"},\"n\":1}"));
	expect_part(ask_with(world, query, "{\"in\":{\"id\":7}}"),
	    "Variable \\\"$in\\\" got invalid value; String cannot represent");
	assert_int_equal(world->status, 400);
	expect_part(ask_with(world, "query ($i: PodFilter!) { pod(input: $i) "
	    "{ id } }", "{}"), "of required type \\\"PodFilter!\\\" was not "
	    "provided.");
	expect_part(ask_with(world, "query ($i: PodFilter) { pod(input: $i) "
	    "{ id } }", "null"), "{\"data\":{\"pod\":null}}");
	expect_part(ask_with(world, query, "[1]"), "must be an object");
}

static void
test_graphql_merges_aliases_fragments_and_directives(void **state)
{
	struct world *world = *state;

	assert_string_equal(ask_with(world, "query ($no: Boolean!) { "
	    "__typename a: gpuTypes(input: {id: \"NVIDIA A40\"}) { id ...N } "
	    "a: gpuTypes(input: {id: \"NVIDIA A40\"}) { ... on GpuType { n: "
	    "displayName } memoryInGb @include(if: $no) } } "
	    "fragment N on GpuType { id n: displayName @skip(if: $no) }",
	    "{\"no\":false}"), "{\"data\":{\"__typename\":\"Query\",\"a\":["
	    "{\"id\":\"NVIDIA A40\",\"n\":\"A40\"}]}}");
}

static void
test_graphql_chooses_the_named_operation(void **state)
{
	struct world *world = *state;

	assert_string_equal(post(world, STR("{\"query\":\"query A { "
	    "countryCodes } query B { b: __typename }\","
	    "\"operationName\":\"B\"}")), "{\"data\":{\"b\":\"Query\"}}");
	expect_part(post(world, STR("{\"query\":\"query A { __typename } "
	    "query B { __typename }\"}")), "Must provide operation name");
	assert_int_equal(world->status, 400);
}

static void
test_graphql_refuses_bodies_that_are_none(void **state)
{
	static const struct str bodies[] = { STR_INIT(""), STR_INIT("[]"),
	    STR_INIT("{"), STR_INIT("{}"), STR_INIT("{\"query\":5}"),
	    STR_INIT("{\"query\":\"{ __typename }\"} x"),
	    STR_INIT("{\"query\":\"\xff\"}") };
	struct world *world = *state;

	for (size_t i = 0; i < COUNTOF(bodies); i++) {
		expect_part(post(world, bodies[i]), "{\"errors\":[");
		assert_int_equal(world->status, 400);
	}
}

/* -------------------------------------------------------------- keys ---- */

static void
test_graphql_shows_the_catalog_to_everybody(void **state)
{
	struct world *world = *state;

	world->key = NULL;
	expect_part(ask(world, "{ gpuTypes { id } dataCenters { id } }"),
	    "NVIDIA A40");
	assert_int_equal(world->status, 200);
	assert_string_equal(ask(world, "{ myself { id } }"),
	    "{\"data\":{\"myself\":null}}");
	expect_part(ask(world, "mutation { podStop(input: {podId: \"x\"}) { "
	    "id } }"), "{\"errors\":[{\"message\":\"Unauthorized\",\"path\":["
	    "\"podStop\"],\"extensions\":{\"code\":\"RUNPOD\"}}],"
	    "\"data\":{\"podStop\":null}}");
	assert_int_equal(world->status, 200);
}

static void
test_graphql_refuses_a_wrong_key(void **state)
{
	struct world *world = *state;

	world->key = "Bearer wrong";
	expect_part(ask(world, "{ gpuTypes { id } }"), "Unauthorized");
	assert_int_equal(world->status, 401);
	world->key = NULL;
	world->query = "api_key=rpa_sim";
	expect_part(ask(world, "{ myself { email } }"), "\"email\":\"");
	assert_int_equal(world->status, 200);
	world->query = "api_key=wrong";
	ask(world, "{ myself { email } }");
	assert_int_equal(world->status, 401);
}

/* -------------------------------------------------------------- pods ---- */

static void
test_graphql_creates_a_pod_as_asked(void **state)
{
	struct world *world = *state;
	const char *id = new_pod(world);
	const struct model_pod *pod = model_pod_find(world->model,
	    str_from(id));

	assert_non_null(pod);
	assert_int_equal(pod->gpu_count, 2);
	assert_int_equal(pod->disk_gb, 10);
	assert_int_equal(pod->persistent_gb, 40);
	assert_false(pod->community);
	expect_part(ask(world, with_id(world, "{ pod(input: {podId: \"", id,
	    "\"}) { name imageName env ports gpuCount containerDiskInGb "
	    "volumeInGb volumeMountPath desiredStatus podType uptimeSeconds "
	    "dockerId port runtime { uptimeInSeconds } machine { "
	    "gpuDisplayName } } }")),
	    "{\"data\":{\"pod\":{\"name\":\"one\",\"imageName\":"
	    "\"runpod/stack\",\"env\":[\"A=1\",\"B=x=y\"],\"ports\":"
	    "\"8888/http,22/tcp\",\"gpuCount\":2,\"containerDiskInGb\":10,"
	    "\"volumeInGb\":40,\"volumeMountPath\":\"/data\","
	    "\"desiredStatus\":\"RUNNING\",\"podType\":\"RESERVED\","
	    "\"uptimeSeconds\":0,\"dockerId\":null,\"port\":null,"
	    "\"runtime\":null,\"machine\":{\"gpuDisplayName\":\"A40\"}}}}");
}

static void
test_graphql_shows_ports_once_the_container_runs(void **state)
{
	struct world *world = *state;
	const char *query = with_id(world, "{ pod(input: {podId: \"",
	    new_pod(world), "\"}) { runtime { ports { ip isIpPublic "
	    "privatePort publicPort type } gpus { id } } } }");
	const char *answer;

	world->now_ms += 60 * 1000;
	model_advance(world->model, world->now_ms);
	answer = ask(world, query);
	expect_part(answer, "\"isIpPublic\":true,\"privatePort\":22,"
	    "\"publicPort\":");
	expect_part(answer, "\"type\":\"tcp\"");
	expect_part(answer, "{\"ip\":\"100.65.0.");
	expect_part(answer, "\"isIpPublic\":false,\"privatePort\":8888,");
	expect_part(answer, "\"gpus\":[{\"id\":\"GPU-");
	expect_no_part(answer, "\"publicPort\":0");
}

static void
test_graphql_walks_a_pod_through_its_life(void **state)
{
	struct world *world = *state;
	const char *id = new_pod(world);

	world->now_ms += 60 * 1000;
	model_advance(world->model, world->now_ms);
	assert_string_equal(ask(world, with_id(world, "mutation { podStop("
	    "input: { podId: \"", id, "\" }) { desiredStatus } }")),
	    "{\"data\":{\"podStop\":{\"desiredStatus\":\"EXITED\"}}}");
	assert_string_equal(ask(world, with_id(world, "mutation { podResume("
	    "input: { podId: \"", id, "\", gpuCount: 2 }) { desiredStatus } "
	    "}")), "{\"data\":{\"podResume\":{\"desiredStatus\":\"RUNNING\"}}}");
	assert_string_equal(ask(world, with_id(world, "mutation { podTerminate"
	    "(input: { podId: \"", id, "\" }) }")),
	    "{\"data\":{\"podTerminate\":null}}");
	assert_string_equal(ask(world, with_id(world, "{ pod(input: {podId: \"",
	    id, "\"}) { id } }")), "{\"data\":{\"pod\":null}}");
	assert_string_equal(ask(world, "{ myself { pods { id } } }"),
	    "{\"data\":{\"myself\":{\"pods\":[]}}}");
	expect_part(ask(world, with_id(world, "mutation { podTerminate(input: "
	    "{ podId: \"", id, "\" }) }")), "pod not found to terminate");
	assert_int_equal(world->status, 200);
}

static void
test_graphql_edits_a_pod(void **state)
{
	struct world *world = *state;
	const char *id = new_pod(world);

	world->now_ms += 60 * 1000;
	model_advance(world->model, world->now_ms);
	assert_string_equal(ask(world, with_id(world, "mutation { podEditJob("
	    "input: {podId: \"", id, "\", imageName: \"other\", env: [{key: "
	    "\"C\", value: \"3\"}], ports: \"22/tcp\"}) { imageName env ports "
	    "dockerArgs runtime { uptimeInSeconds } } }")), "{\"data\":{"
	    "\"podEditJob\":{\"imageName\":\"other\",\"env\":[\"C=3\"],"
	    "\"ports\":\"22/tcp\",\"dockerArgs\":\"\",\"runtime\":null}}}");
}

static void
test_graphql_says_when_nothing_can_be_rented(void **state)
{
	struct world *world = *state;
	const char *answer;

	assert_true(model_set_capacity(world->model, STR("NVIDIA A40"), 0));
	answer = ask(world, "mutation { podFindAndDeployOnDemand(input: {name: "
	    "\"x\", imageName: \"y\", gpuTypeId: \"NVIDIA A40\"}) { id } }");
	assert_int_equal(world->status, 200);
	expect_part(answer, "There are no longer any instances available with "
	    "the requested specifications.");
	expect_part(answer, "\"data\":{\"podFindAndDeployOnDemand\":null}}");
	expect_part(ask(world, "{ gpuTypes(input: {id: \"NVIDIA A40\"}) { "
	    "lowestPrice(input: {gpuCount: 1}) { uninterruptablePrice "
	    "stockStatus } } }"), "{\"uninterruptablePrice\":null,"
	    "\"stockStatus\":null}");
	expect_part(ask(world, "mutation { podRentInterruptable(input: {name: "
	    "\"x\", imageName: \"y\", gpuTypeId: \"NVIDIA A40\", bidPerGpu: "
	    "0.2}) { id } }"), "with the request specifications");
	assert_int_equal(model_pod_count(world->model), 0);
}

static void
test_graphql_treats_empty_texts_as_unset(void **state)
{
	struct world *world = *state;

	expect_part(ask(world, "mutation { podFindAndDeployOnDemand(input: {"
	    "name: \"x\", imageName: \"y\", gpuTypeId: \"NVIDIA A40\", "
	    "dataCenterId: \"\", networkVolumeId: \"\", templateId: \"\", "
	    "dockerArgs: \"\", countryCode: null, dataCenterId: null}) { id } "
	    "}"), "There can be only one input field");
	expect_part(ask(world, "mutation { podFindAndDeployOnDemand(input: {"
	    "name: \"x\", imageName: \"y\", gpuTypeId: \"NVIDIA A40\", "
	    "dataCenterId: \"\", networkVolumeId: \"\", templateId: \"\", "
	    "dockerArgs: \"\", countryCode: null}) { networkVolumeId } }"),
	    "{\"data\":{\"podFindAndDeployOnDemand\":{\"networkVolumeId\":"
	    "null}}}");
}

static void
test_graphql_deploys_cpu_pods(void **state)
{
	struct world *world = *state;

	expect_part(ask(world, "mutation { deployCpuPod(input: {name: \"c\", "
	    "imageName: \"i\", cloudType: ALL, instanceId: \"cpu3c-4-8\", "
	    "templateId: \"runpod-ubuntu\"}) { vcpuCount memoryInGb gpuCount "
	    "cpuFlavorId machine { gpuTypeId } } }"), "{\"vcpuCount\":4,"
	    "\"memoryInGb\":8,\"gpuCount\":0,\"cpuFlavorId\":\"cpu3c\","
	    "\"machine\":{\"gpuTypeId\":\"unknown\"}}");
	expect_part(ask(world, "mutation { deployCpuPod(input: {name: \"c\", "
	    "imageName: \"i\", instanceId: \"cpu3c-3-6\"}) { id } }"),
	    "Instance type not found");
}

/* ----------------------------------------------------------- account ---- */

static void
test_graphql_tells_money_in_dollars(void **state)
{
	struct world *world = *state;
	const char *answer;

	assert_string_equal(ask(world, "{ myself { clientBalance "
	    "currentSpendPerHr spendDetails { gpuComputePerHour } } }"),
	    "{\"data\":{\"myself\":{\"clientBalance\":1000,"
	    "\"currentSpendPerHr\":0,\"spendDetails\":{\"gpuComputePerHour\":"
	    "0}}}}");
	model_set_price(world->model, STR("NVIDIA A40"), false, 440000);
	new_pod(world);
	answer = ask(world, "{ myself { pods { costPerHr } spendDetails { "
	    "gpuComputePerHour } underBalance } }");
	expect_part(answer, "{\"costPerHr\":0.88}");
	expect_part(answer, "{\"gpuComputePerHour\":0.88}");
	expect_part(answer, "\"underBalance\":false");
}

static void
test_graphql_keeps_network_volumes(void **state)
{
	struct world *world = *state;
	const char *made = ask(world, "mutation { createNetworkVolume(input: {"
	    "name: \"data\", size: 20, dataCenterId: \"EU-RO-1\"}) { id name "
	    "size dataCenterId } }");
	const char *id = id_in(world, made);

	expect_part(made, "\"name\":\"data\",\"size\":20,\"dataCenterId\":"
	    "\"EU-RO-1\"}");
	expect_part(ask(world, with_id(world, "mutation { updateNetworkVolume("
	    "input: {id: \"", id, "\", size: 30}) { size } }")),
	    "{\"size\":30}");
	expect_part(ask(world, "{ myself { networkVolumes { size } } }"),
	    "[{\"size\":30}]");
	assert_string_equal(ask(world, with_id(world, "mutation { "
	    "deleteNetworkVolume(input: {id: \"", id, "\"}) }")),
	    "{\"data\":{\"deleteNetworkVolume\":null}}");
	expect_part(ask(world, with_id(world, "mutation { deleteNetworkVolume("
	    "input: {id: \"", id, "\"}) }")),
	    "Tried to delete nonexistent network volume");
}

static void
test_graphql_keeps_templates_by_name(void **state)
{
	struct world *world = *state;
	const char *save = "mutation { saveTemplate(input: {name: \"t\", "
	    "imageName: \"base\", dockerArgs: \"run\", containerDiskInGb: 7, "
	    "volumeInGb: 0, ports: \"22/tcp\", containerRegistryAuthId: \"\", "
	    "env: [{key: \"T\", value: \"1\"}]}) { id env { key value } } }";
	const char *made = ask(world, save);
	const char *id = id_in(world, made);

	expect_part(made, "\"env\":[{\"key\":\"T\",\"value\":\"1\"}]");
	expect_part(ask(world, save), "must be unique");
	expect_part(ask(world, with_id(world, "mutation { "
	    "podFindAndDeployOnDemand(input: {name: \"p\", imageName: \"\", "
	    "gpuTypeId: \"NVIDIA A40\", templateId: \"", id, "\", env: [{key: "
	    "\"P\", value: \"2\"}]}) { imageName containerDiskInGb ports "
	    "dockerArgs } }")), "{\"imageName\":\"base\","
	    "\"containerDiskInGb\":7,\"ports\":\"22/tcp\",\"dockerArgs\":"
	    "\"run\"}");
	assert_string_equal(ask(world, "mutation { deleteTemplate("
	    "templateName: \"t\") }"), "{\"data\":{\"deleteTemplate\":null}}");
	expect_part(ask(world, "mutation { deleteTemplate(templateName: \"t\")"
	    " }"), "Template not found");
}

static void
test_graphql_keeps_keys_and_registries(void **state)
{
	struct world *world = *state;
	const char *registry = "mutation { saveRegistryAuth(input: {name: "
	    "\"r\", username: \"u\", password: \"hunter2hunter2\"}) { id name "
	    "} }";

	assert_string_equal(ask(world, "mutation { updateUserSettings(input: "
	    "{pubKey: \"ssh-ed25519 AAAA one\\n\\nssh-ed25519 BBBB two\"}) { "
	    "pubKey } }"), "{\"data\":{\"updateUserSettings\":{\"pubKey\":"
	    "\"ssh-ed25519 AAAA one\\nssh-ed25519 BBBB two\"}}}");
	expect_part(ask(world, registry), "\"name\":\"r\"");
	expect_part(ask(world, registry), "must be unique");
	expect_part(ask(world, "{ myself { containerRegistryCreds { name "
	    "registryAuth } } }"), "{\"name\":\"r\",\"registryAuth\":null}");
}

static void
test_graphql_answers_the_catalog(void **state)
{
	struct world *world = *state;
	const char *all = ask(world, "{ gpuTypes { id memoryInGb } }");

	expect_part(all, "{\"id\":\"unknown\",\"memoryInGb\":0}");
	expect_part(ask(world, "{ gpuTypes(input: {id: \"nope\"}) { id } }"),
	    "{\"data\":{\"gpuTypes\":[]}}");
	expect_part(ask(world, "{ dataCenters { id location storageSupport "
	    "gpuAvailability(input: {gpuCount: 1}) { available gpuTypeId } } "
	    "}"), "\"storageSupport\":true");
	expect_part(ask(world, "{ cpuFlavors(input: {id: \"cpu3c\"}) { id "
	    "specifics(input: {instanceId: \"cpu3c-4-8\"}) { stockStatus } } "
	    "cpuTypes { cores } serverlessGpuPools { id gpuTypeIds } }"),
	    "{\"id\":\"cpu3c\",\"specifics\":{\"stockStatus\":\"High\"}}");
}

#define LIVES(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_graphql_parse_reads_every_literal),
		cmocka_unit_test(test_graphql_parse_says_where_it_stopped),
		cmocka_unit_test(test_graphql_parse_bounds_depth),
		LIVES(test_graphql_refuses_what_the_schema_lacks),
		LIVES(test_graphql_bounds_fragments_that_multiply),
		LIVES(test_graphql_reads_variables),
		LIVES(test_graphql_merges_aliases_fragments_and_directives),
		LIVES(test_graphql_chooses_the_named_operation),
		LIVES(test_graphql_refuses_bodies_that_are_none),
		LIVES(test_graphql_shows_the_catalog_to_everybody),
		LIVES(test_graphql_refuses_a_wrong_key),
		LIVES(test_graphql_creates_a_pod_as_asked),
		LIVES(test_graphql_shows_ports_once_the_container_runs),
		LIVES(test_graphql_walks_a_pod_through_its_life),
		LIVES(test_graphql_edits_a_pod),
		LIVES(test_graphql_says_when_nothing_can_be_rented),
		LIVES(test_graphql_treats_empty_texts_as_unset),
		LIVES(test_graphql_deploys_cpu_pods),
		LIVES(test_graphql_tells_money_in_dollars),
		LIVES(test_graphql_keeps_network_volumes),
		LIVES(test_graphql_keeps_templates_by_name),
		LIVES(test_graphql_keeps_keys_and_registries),
		LIVES(test_graphql_answers_the_catalog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
