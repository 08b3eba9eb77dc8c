/*
 * test_graphql_schema.c - GraphQL of the model by its own tables: every field
 * of every type answers with a value of its type; and by tables of ours what
 * the language and the schema do not allow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "model/graphql_schema.h"
#include "tests/unit/model_world.h"

static struct str
ask_with(struct world *world, const char *query, const char *variables)
{
	struct strbuf body = {0};

	strbuf_adds(&body, "{\"query\":");
	strbuf_add_json(&body, str_from(query));
	if (variables != NULL)
		strbuf_addf(&body, ",\"variables\":%s", variables);
	strbuf_addc(&body, '}');
	struct str text = arena_str(&world->arena, strbuf_str(&body));
	strbuf_release(&body);
	return world_ask(world, "POST", "/graphql", NULL,
	    arena_cstr(&world->arena, text));
}

static struct str
ask(struct world *world, const char *query)
{
	return ask_with(world, query, NULL);
}

static const char *
print(struct world *world, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str text = arena_vprintf(&world->arena, format, args);
	va_end(args);
	return text.data;
}

/* The first "id" of an answer. */
static const char *
id_in(struct world *world, struct str answer)
{
	ptrdiff_t at = str_search(answer, STR("\"id\":\""));
	struct str rest;

	if (at < 0)
		fail_msg("no id in %.*s", (int)answer.len, answer.data);
	rest = str_sub(answer, (size_t)at + 6, answer.len);
	return arena_cstr(&world->arena, str_sub(rest, 0,
	    (size_t)str_find(rest, '"')));
}

/* ------------------------------------------------- every field there is ---- */

enum { DEPTH = 3 };

/* What a field must be given; of the other inputs none is. */
static void
add_args(struct strbuf *out, const struct gql_field *field, const char *pod)
{
	static const struct {
		const char *name, *args;
	} given[] = {
		{ "lowestPrice", "(input: {gpuCount: 1})" },
		{ "specifics", "(input: {instanceId: \"cpu3c-2-4\", "
		  "dataCenterId: \"EU-RO-1\"})" },
	};

	if (strcmp(field->name, "pod") == 0) {
		strbuf_addf(out, "(input: {podId: \"%s\"})", pod);
		return;
	}
	for (size_t i = 0; i < COUNTOF(given); i++)
		if (strcmp(given[i].name, field->name) == 0)
			strbuf_adds(out, given[i].args);
}

/* All fields of a type, as deep as they go. */
static void
add_selection(struct strbuf *out, enum gql_type_id type, int depth,
    const char *pod)
{
	strbuf_adds(out, "{ __typename ");
	for (const struct gql_field *field = gql_types[type].fields;
	    field->name != NULL; field++) {
		bool object = gql_types[field->type.id].kind == KIND_OBJECT;

		if (object && depth == 0)
			continue;
		strbuf_addf(out, "%s ", field->name);
		add_args(out, field, pod);
		if (object)
			add_selection(out, field->type.id, depth - 1, pod);
	}
	strbuf_adds(out, "} ");
}

static void
check_object(struct json_value value, enum gql_type_id type, int depth);

/* Of a string, without its quotes; none here needs an escape. */
static struct str
text_of(struct json_value value)
{
	struct str text = json_text(value);
	return text.len >= 2 && text.data[0] == '"' ?
	    str_sub(text, 1, text.len - 2) : text;
}

static bool
is_word(struct json_value value, const struct gql_type *type)
{
	for (const char *const *word = type->words; *word != NULL; word++)
		if (str_is(text_of(value), *word))
			return true;
	return false;
}

static void
check_value(struct json_value value, const struct gql_field *field,
    struct gql_ref ref, int depth)
{
	const struct gql_type *type = &gql_types[ref.id];
	bool ok = true;

	if (json_is(value, JSON_NULL)) {
		if (ref.required)
			fail_msg("%s is null", field->name);
		return;
	}
	if (ref.list) {
		struct json_iter it = json_iter(value);
		if (!json_is(value, JSON_ARRAY))
			fail_msg("%s is no list", field->name);
		while (json_next(&it))
			check_value(it.value, field,
			    (struct gql_ref){ ref.id, false, false }, depth);
		return;
	}
	if (type->kind == KIND_OBJECT) {
		check_object(value, ref.id, depth - 1);
		return;
	}
	if (type->kind == KIND_ENUM)
		ok = json_is(value, JSON_STRING) && is_word(value, type);
	else if (ref.id == T_INT)
		ok = json_is(value, JSON_NUMBER) &&
		    str_find(json_text(value), '.') < 0;
	else if (ref.id == T_FLOAT)
		ok = json_is(value, JSON_NUMBER);
	else if (ref.id == T_BOOLEAN)
		ok = json_is(value, JSON_TRUE) || json_is(value, JSON_FALSE);
	else
		ok = json_is(value, JSON_STRING);
	if (!ok)
		fail_msg("%s is not of type %s: %.*s", field->name,
		    type->name, (int)json_text(value).len,
		    json_text(value).data);
}

static void
check_object(struct json_value value, enum gql_type_id type, int depth)
{
	size_t n = 1;

	if (!json_is(value, JSON_OBJECT) || !str_is(text_of(json_get(value,
	    "__typename")), gql_types[type].name))
		fail_msg("no %s: type %d, %.*s", gql_types[type].name,
		    (int)json_type(value), (int)json_text(value).len,
		    json_text(value).data);
	for (const struct gql_field *field = gql_types[type].fields;
	    field->name != NULL; field++) {
		struct json_value member = json_get(value, field->name);
		bool left_out = depth == 0 &&
		    gql_types[field->type.id].kind == KIND_OBJECT;

		if (json_exists(member) == left_out)
			fail_msg("%s.%s: %d", gql_types[type].name,
			    field->name, left_out);
		if (left_out)
			continue;
		n++;
		check_value(member, field, field->type, depth);
	}
	assert_int_equal(json_count(value), n);
}

/* An account with one of everything; returns the pod. */
static const char *
furnish(struct world *world)
{
	const char *volume = id_in(world, ask(world, "mutation { "
	    "createNetworkVolume(input: {name: \"v\", size: 20, "
	    "dataCenterId: \"EU-RO-1\"}) { id } }"));
	const char *pod = id_in(world, ask(world, print(world, "mutation { "
	    "podFindAndDeployOnDemand(input: {name: \"p\", imageName: "
	    "\"runpod/stack\", cloudType: SECURE, gpuTypeId: \"NVIDIA A40\", "
	    "dataCenterId: \"EU-RO-1\", networkVolumeId: \"%s\", ports: "
	    "\"8888/http,22/tcp\", containerDiskInGb: 10, env: [{key: \"A\", "
	    "value: \"1\"}]}) { id } }", volume)));

	ask(world, "mutation { saveTemplate(input: {name: \"t\", imageName: "
	    "\"i\", dockerArgs: \"\", containerDiskInGb: 5, volumeInGb: 7, "
	    "volumeMountPath: \"/w\", ports: \"80/http\", env: [{key: \"B\", "
	    "value: \"2\"}]}) { id } }");
	ask(world, "mutation { saveRegistryAuth(input: {name: \"r\", "
	    "username: \"u\", password: \"p\"}) { id } }");
	/* It comes up and is used for a while. */
	for (int i = 0; i < 10; i++) {
		world->now += 60 * 1000;
		ask(world, "{ myself { id } }");
	}
	return pod;
}

static void
test_graphql_every_field_answers_with_its_type(void **state)
{
	struct world *world = *state;
	const char *pod = furnish(world);
	const char *cpu = id_in(world, ask(world, "mutation { deployCpuPod("
	    "input: {name: \"c\", instanceId: \"cpu3c-2-4\", imageName: "
	    "\"x\", dataCenterId: \"EU-RO-1\"}) { id } }"));
	size_t asked = 0;

	for (const struct gql_field *field = gql_query_fields;
	    field->name != NULL; field++)
		for (int other = 0; other < 2; other++) {
			struct strbuf query = {0};
			struct json_error error;
			struct json doc;
			struct str answer;

			if (field->args != NULL && strcmp(field->name,
			    "pod") != 0 && field->args[0].type.required)
				continue;	/* named by hand, below */
			strbuf_addf(&query, "{ %s ", field->name);
			add_args(&query, field, other ? cpu : pod);
			if (gql_types[field->type.id].kind == KIND_OBJECT)
				add_selection(&query, field->type.id, DEPTH,
				    other ? cpu : pod);
			strbuf_addc(&query, '}');
			answer = ask(world, arena_cstr(&world->arena,
			    strbuf_str(&query)));
			strbuf_release(&query);
			assert_lacks(answer, "\"errors\"");
			assert_true(json_parse(&world->arena, answer,
			    (struct json_limits){ .bytes = 64 << 20 }, &doc,
			    &error));
			check_value(json_get(json_get(json_root(&doc),
			    "data"), field->name), field, field->type,
			    DEPTH + 1);
			asked++;
		}
	assert_true(asked > 10);
}

/* ---------------------------------------------------------- the language ---- */

static void
test_graphql_reads_texts_as_the_language_has_them(void **state)
{
	static const struct {
		const char *written, *meant;
	} cases[] = {
		{ "\"\"", "" }, { "\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"",
		  "a\"\\/\b\f\n\r\tz" },
		{ "\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac" },
		{ "\"\\uD83D\\uDE00\"", "\xf0\x9f\x98\x80" },
		{ "\"\\u{1F600}\\u{41}\"", "\xf0\x9f\x98\x80" "A" },
		{ "\"\"\"\"\"\"", "" }, { "\"\"\" a \"\"\"", " a " },
		{ "\"\"\"\n\n  a\n    b\n\n\tc\n\n\"\"\"", " a\n   b\n\nc" },
		{ "\"\"\"a\\\"\"\"b\"\"\"", "a\"\"\"b" },
		{ "\"\"\"a\r\n  b\rc\"\"\"", "a\n  b\nc" },
		{ "\"\"\"   \n \t \n\"\"\"", "" },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct gql_document doc;
		struct gql_error error = {0};
		struct str text = arena_printf(&arena, "\xef\xbb\xbf,# x\r{ a("
		    "x: %s) }", cases[i].written);

		if (!gql_parse(&arena, text, &doc, &error))
			fail_msg("%s: %.*s", cases[i].written,
			    (int)error.message.len, error.message.data);
		struct str meant = doc.operations.items[0].set.list.items[0]
		    .args.items[0].value.text;
		if (!str_is(meant, cases[i].meant))
			fail_msg("%s is '%.*s'", cases[i].written,
			    (int)meant.len, meant.data);
	}
	arena_release(&arena);
}

static void
test_graphql_says_what_the_language_does_not_allow(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "{ a(x: -) }", "Invalid number, expected digit." },
		{ "{ a(x: 1.) }", "Invalid number, expected digit." },
		{ "{ a(x: 1e) }", "Invalid number, expected digit." },
		{ "{ a(x: 1e+) }", "Invalid number, expected digit." },
		{ "{ a(x: 1x) }",
		  "Invalid number, expected digit but got a letter." },
		{ "{ a(x: 1.2.3) }",
		  "Invalid number, expected digit but got a letter." },
		{ "{ a(x: \"\\u12g4\") }",
		  "Invalid character escape sequence." },
		{ "{ a(x: \"\\u{}\") }",
		  "Invalid character escape sequence." },
		{ "{ a(x: \"\\u{110000}\") }",
		  "Invalid character escape sequence." },
		{ "{ a(x: \"\\u{41\") }",
		  "Invalid character escape sequence." },
		{ "{ a(x: \"\\ud83dx\") }",
		  "Invalid character escape sequence." },
		{ "{ a(x: \"\\ud83d\\n\") }",
		  "Invalid character escape sequence." },
		{ "{ a(x: \"\\ud83d\\u0041\") }",
		  "Invalid character escape sequence." },
		{ "{ a(x: \"\\ud83d\\ue000\") }",
		  "Invalid character escape sequence." },
		{ "{ a(x: \"\\udc00\") }",
		  "Invalid character escape sequence." },
		{ "{ a(x: \"\\", "Invalid character escape sequence." },
		{ "{ a(x: \"b\n\") }", "Unterminated string." },
		{ "{ a(x: \"\"\"b", "Unterminated string." },
		{ "{ a .. b }", "Unexpected character." },
		{ "{ a % }", "Unexpected character." },
		{ "{ a(x: [1 }", "Unexpected \"}\"." },
		{ "{ a(x: {1: 2}) }", "Expected Name, found \"1\"." },
		{ "{ a(x: {b 2}) }", "Expected \":\", found \"2\"." },
		{ "{ a(x: {b: }) }", "Unexpected \"}\"." },
		{ "{ a(x: $) }", "Expected Name, found \")\"." },
		{ "{ a(x: \"s\" \"t\") }", "Expected Name, found String." },
		{ "{ a(: 1) }", "Expected Name, found \":\"." },
		{ "{ a: }", "Expected Name, found \"}\"." },
		{ "{ a @ }", "Expected Name, found \"}\"." },
		{ "{ a @x(y) }", "Expected \":\", found \")\"." },
		{ "{ ... @x(y) }", "Expected \":\", found \")\"." },
		{ "{ ...f @x(y) }", "Expected \":\", found \")\"." },
		{ "{ ... on }", "Expected Name, found \"}\"." },
		{ "{ ... on Query }", "Expected \"{\", found \"}\"." },
		{ "query Q", "Expected \"{\", found <EOF>." },
		{ "query ($a) { b }", "Expected \":\", found \")\"." },
		{ "query (a: Int) { b }", "Expected \"$\", found Name \"a\"." },
		{ "query ($: Int) { b }", "Expected Name, found \":\"." },
		{ "query ($a: ) { b }", "Expected Name, found \")\"." },
		{ "query ($a: []) { b }", "Expected Name, found \"]\"." },
		{ "query ($a: [Int) { b }", "Expected \"]\", found \")\"." },
		{ "query ($a: Int = ) { b }", "Unexpected \")\"." },
		{ "query ($a: Int @x(y)) { b }",
		  "Expected \":\", found \")\"." },
		{ "query Q @ { b }", "Expected Name, found \"{\"." },
		{ "{ a } fragment on on Q { b }", "Unexpected Name \"on\"." },
		{ "{ a } fragment { b }", "Expected Name, found \"{\"." },
		{ "{ a } fragment F Q { b }",
		  "Expected \"on\", found Name \"Q\"." },
		{ "{ a } fragment F on { b }", "Expected Name, found \"{\"." },
		{ "{ a } fragment F on Q @ { b }",
		  "Expected Name, found \"{\"." },
		{ "{ a } fragment F on Q", "Expected \"{\", found <EOF>." },
		{ "{ a } b", "Unexpected Name \"b\"." },
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct gql_document doc;
		struct gql_error error = {0};

		if (gql_parse(&arena, str_from(cases[i].text), &doc, &error))
			fail_msg("%s is read", cases[i].text);
		if (!str_is(error.message, arena_printf(&arena,
		    "Syntax Error: %s", cases[i].why).data))
			fail_msg("%s: %.*s", cases[i].text,
			    (int)error.message.len, error.message.data);
	}
	arena_release(&arena);
}

/* Directives may stand wherever the language has them. */
static void
test_graphql_reads_all_forms_of_a_document(void **state)
{
	static const char *const texts[] = {
		"query @a @b(c: 1) { d }", "query Q($a: [Int!]! = [1] @b) { c }",
		"mutation M { a }", "subscription { a }",
		"{ ... on Q @a { b } ... @c { d } ...E @f }",
		"fragment F on Q @a { b } query { c }",
		"{ a(b: [[1] {c: d}] e: null f: false) @g { h } }",
		"{ a(b: 0 c: -0 d: -12.50 e: 1E-3 f: 2e+9) }",
		"{ on fragment query mutation true null }",
	};
	struct arena arena = {0};
	(void)state;

	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct gql_document doc;
		struct gql_error error = {0};
		if (!gql_parse(&arena, str_from(texts[i]), &doc, &error))
			fail_msg("%s: %.*s", texts[i], (int)error.message.len,
			    error.message.data);
		assert_true(doc.operations.n == 1);
	}
	arena_release(&arena);
}

/* ------------------------------------------------------------ the schema ---- */

static void
test_graphql_says_what_does_not_fit_the_schema(void **state)
{
	static const struct {
		const char *query, *why;
	} cases[] = {
		{ "{ pod(input: {podId: 1.5}) { id } }",
		  "String cannot represent a non string value: 1.5" },
		{ "{ pod(input: {podId: true}) { id } }",
		  "String cannot represent a non string value: true" },
		{ "{ pod(input: {podId: null}) { id } }", "Expected value of "
		  "type \\\"String!\\\", found null." },
		{ "{ pod(input: {podId: ABC}) { id } }",
		  "String cannot represent a non string value: ABC" },
		{ "{ pod(input: {podId: [\"a\"]}) { id } }",
		  "String cannot represent a non string value:" },
		{ "{ pod(input: {podId: {}}) { id } }",
		  "String cannot represent a non string value:" },
		{ "{ pod(input: {podId: \"a\", podId: \"b\"}) { id } }",
		  "There can be only one input field named \\\"podId\\\"." },
		{ "{ pod(input: 5) { id } }",
		  "Expected value of type \\\"PodFilter\\\", found 5." },
		{ "{ pod(input: \"x\") { id } }", "Expected value of type "
		  "\\\"PodFilter\\\", found \\\"x\\\"." },
		{ "{ gpuTypes(input: {cluster: 1}) { id } }",
		  "Boolean cannot represent a non boolean value: 1" },
		{ "{ gpuTypes(input: {ids: [\"a\", 1]}) { id } }",
		  "String cannot represent a non string value: 1" },
		{ "{ gpuTypes { lowestPrice(input: {gpuCount: \"1\"}) { "
		  "minVcpu } } }",
		  "Int cannot represent non-integer value: \\\"1\\\"" },
		{ "{ gpuTypes { lowestPrice(input: {gpuCount: 99999999999}) "
		  "{ minVcpu } } }", "Int cannot represent non 32-bit signed "
		  "integer value: 99999999999" },
		{ "{ gpuTypes { lowestPrice(input: {gpuCount: 1, compliance: "
		  "5}) { minVcpu } } }", "Enum \\\"Compliance\\\" cannot "
		  "represent non-enum value: 5." },
		{ "mutation { podBidResume(input: {podId: \"x\", bidPerGpu: "
		  "\"1\", gpuCount: 1}) { id } }",
		  "Float cannot represent non numeric value: \\\"1\\\"" },
		{ "{ countryCodes @skip }", "Directive \\\"@skip\\\" argument "
		  "\\\"if\\\" of type \\\"Boolean!\\\" is required, but it was "
		  "not provided." },
		{ "{ countryCodes @skip(if: 1) }",
		  "Boolean cannot represent a non boolean value: 1" },
		{ "{ countryCodes @odd }",
		  "Unknown directive \\\"@odd\\\"." },
		{ "{ ... on Pod { id } }", "Fragment cannot be spread here as "
		  "objects of type \\\"Query\\\" can never be of type "
		  "\\\"Pod\\\"." },
		{ "{ ...F } fragment F on Pod { id }", "Fragment cannot be "
		  "spread here as objects of type \\\"Query\\\"" },
		{ "query ($a: Int, $a: Int) { countryCodes }",
		  "There can be only one variable named \\\"$a\\\"." },
		{ "query ($a: Pod) { countryCodes }", "Variable \\\"$a\\\" "
		  "cannot be non-input type \\\"Pod\\\"." },
		{ "query ($a: Int = \"x\") { countryCodes }",
		  "Int cannot represent non-integer value: \\\"x\\\"" },
		{ "query ($a: [String]) { pod(input: {podId: $a}) { id } }",
		  "Variable \\\"$a\\\" of type \\\"[String]\\\" used in "
		  "position expecting type \\\"String!\\\"." },
		{ "query ($a: Int!) { pod(input: {podId: $a}) { id } }",
		  "Variable \\\"$a\\\" of type \\\"Int!\\\" used in position "
		  "expecting type \\\"String!\\\"." },
		{ "query ($a: String = null) { pod(input: {podId: $a}) { id "
		  "} }", "used in position expecting type \\\"String!\\\"." },
		{ "{ countryCodes { x } }", "must not have a selection" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str answer = ask(world, cases[i].query);
		if (str_search(answer, str_from(cases[i].why)) < 0 ||
		    world->reply.status != 400)
			fail_msg("%s: %.*s", cases[i].query, (int)answer.len,
			    answer.data);
	}
	/* It says no more than twenty. */
	struct str answer = ask(world, "{ a b c d e f g h i j k l m n o p q r "
	    "s t u v w x y z }");
	size_t said = 0;
	for (ptrdiff_t at; (at = str_search(answer, STR("Cannot query"))) >= 0;
	    said++)
		answer = str_sub(answer, (size_t)at + 1, answer.len);
	assert_int_equal(said, 20);
}

static void
test_graphql_takes_variables_where_they_fit(void **state)
{
	static const struct {
		const char *query, *variables, *part;
	} cases[] = {
		{ "query ($a: String! = \"x\") { pod(input: {podId: $a}) { id "
		  "} }", NULL, "{\"data\":{\"pod\":null}}" },
		{ "query ($a: String = \"x\") { pod(input: {podId: $a}) { id "
		  "} }", "{}", "{\"data\":{\"pod\":null}}" },
		{ "query ($a: [String] = [\"NVIDIA A40\"]) { gpuTypes(input: "
		  "{ids: $a}) { id } }", NULL,
		  "{\"gpuTypes\":[{\"id\":\"NVIDIA A40\"}]}" },
		/* One stands for a list of one. */
		{ "query ($a: String) { gpuTypes(input: {ids: $a}) { id } }",
		  "{\"a\":\"NVIDIA A40\"}",
		  "{\"gpuTypes\":[{\"id\":\"NVIDIA A40\"}]}" },
		{ "query ($a: Boolean!) { countryCodes @skip(if: $a) "
		  "__typename }", "{\"a\":true}",
		  "{\"data\":{\"__typename\":\"Query\"}}" },
		{ "query ($a: Boolean!) { countryCodes @include(if: $a) "
		  "__typename }", "{\"a\":false}",
		  "{\"data\":{\"__typename\":\"Query\"}}" },
		{ "query ($a: Boolean!) { ... @include(if: $a) { countryCodes "
		  "} __typename }", "{\"a\":false}",
		  "{\"data\":{\"__typename\":\"Query\"}}" },
		{ "query ($a: Boolean!) { ...F @skip(if: $a) __typename } "
		  "fragment F on Query { countryCodes }", "{\"a\":true}",
		  "{\"data\":{\"__typename\":\"Query\"}}" },
		{ "query ($a: Boolean!) { countryCodes @skip(if: $a) }",
		  "{}", "was not provided" },
		{ "query ($a: Boolean!) { countryCodes @skip(if: $a) }",
		  "{\"a\":null}", "null" },
		{ "query ($a: Boolean!) { countryCodes @skip(if: $a) }",
		  "{\"a\":[true]}", "got invalid value" },
		{ "query ($a: PodFilter!) { pod(input: $a) { id } }",
		  "{\"a\":{\"podId\":\"x\",\"more\":1}}",
		  "is not defined by type" },
		{ "query ($a: CloudTypeEnum) { countryCodes }",
		  "{\"a\":\"MOON\"}", "does not exist in" },
		{ "query ($a: CloudTypeEnum) { __typename }",
		  "{\"a\":\"ALL\"}", "{\"data\":{\"__typename\":\"Query\"}}" },
		{ "query ($a: Int) { __typename }", "{\"a\":1.5}",
		  "Int cannot represent non-integer value: 1.5" },
		{ "query ($a: Float) { __typename }", "{\"a\":1}",
		  "{\"data\":{\"__typename\":\"Query\"}}" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str answer = ask_with(world, cases[i].query,
		    cases[i].variables);
		if (str_search(answer, str_from(cases[i].part)) < 0)
			fail_msg("%s: %.*s", cases[i].query, (int)answer.len,
			    answer.data);
	}
}

/* ------------------------------------------------------------------ pods ---- */

static void
test_graphql_refuses_to_deploy_what_is_not_there(void **state)
{
	static const struct {
		const char *input, *why;
	} cases[] = {
		{ "", "You must either provide a template id or an image name" },
		{ "templateId: \"none\"", "Template not found" },
		{ "imageName: \"i\", ports: \"x\"", "Invalid port: expected a "
		  "list such as 8888/http,22/tcp" },
		{ "imageName: \"i\"", "GPU type not found" },
		{ "imageName: \"i\", gpuTypeId: \"NVIDIA Moon\"",
		  "GPU type not found" },
		{ "imageName: \"i\", gpuTypeIdList: []",
		  "GPU type not found" },
		{ "imageName: \"i\", gpuTypeId: \"NVIDIA A40\", gpuCount: 0",
		  "gpuCount must be at least 1" },
	};
	static const char *const instances[] = {
		"cpu9x-2-4", "cpu3c-3-6", "cpu3c-64-128", "cpu3c-1-2", "cpu3c",
		"cpu3c-0", "x",
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct str answer = ask(world, print(world, "mutation { "
		    "podFindAndDeployOnDemand(input: {%s}) { id } }",
		    cases[i].input));
		assert_has(answer, cases[i].why);
	}
	for (size_t i = 0; i < COUNTOF(instances); i++)
		assert_has(ask(world, print(world, "mutation { deployCpuPod("
		    "input: {imageName: \"i\", instanceId: \"%s\"}) { id } }",
		    instances[i])), "Instance type not found");
	assert_has(ask(world, "mutation { deployCpuPod(input: {}) { id } }"),
	    "You must either provide a template id or an image name");
	assert_int_equal(model_pod_count(world->model), 0);
}

/* What a request leaves open comes from its template, and no more. */
static void
test_graphql_fills_a_pod_from_its_template(void **state)
{
	struct world *world = *state;
	const char *template = id_in(world, ask(world, "mutation { "
	    "saveTemplate(input: {name: \"t\", imageName: \"ti\", dockerArgs: "
	    "\"ta\", containerDiskInGb: 11, volumeInGb: 7, volumeMountPath: "
	    "\"/t\", ports: \"80/http\", startSsh: true, startJupyter: true, "
	    "env: [{key: \"A\", value: \"t\"}, {key: \"B\", value: \"t\"}]}) "
	    "{ id } }"));
	const char *fields = "imageName dockerArgs containerDiskInGb "
	    "volumeInGb volumeMountPath ports env";

	struct str answer = ask(world, print(world, "mutation { "
	    "podFindAndDeployOnDemand(input: {templateId: \"%s\", gpuTypeIdList"
	    ": [\"NVIDIA A40\"]}) { %s } }", template, fields));
	assert_has(answer, "\"imageName\":\"ti\",\"dockerArgs\":\"ta\","
	    "\"containerDiskInGb\":11,\"volumeInGb\":7,\"volumeMountPath\":"
	    "\"/t\",\"ports\":\"80/http\"");
	assert_has(answer, "\"A=t\"");
	answer = ask(world, print(world, "mutation { podFindAndDeployOnDemand("
	    "input: {templateId: \"%s\", gpuTypeId: \"NVIDIA A40\", "
	    "imageName: \"mi\", dockerArgs: \"ma\", containerDiskInGb: 12, "
	    "volumeInGb: 9, volumeMountPath: \"/m\", ports: \"81/http\", env: "
	    "[{key: \"A\", value: \"m\"}]}) { %s } }", template, fields));
	assert_has(answer, "\"imageName\":\"mi\",\"dockerArgs\":\"ma\","
	    "\"containerDiskInGb\":12,\"volumeInGb\":9,\"volumeMountPath\":"
	    "\"/m\",\"ports\":\"81/http\"");
	assert_has(answer, "\"A=m\"");
	assert_has(answer, "\"B=t\"");
	assert_lacks(answer, "\"A=t\"");
	/* A template that we do not have is passed over beside an image. */
	assert_has(ask(world, "mutation { podFindAndDeployOnDemand(input: {"
	    "templateId: \"official\", imageName: \"i\", gpuTypeId: "
	    "\"NVIDIA A40\"}) { imageName } }"), "\"imageName\":\"i\"");
}

static void
test_graphql_refuses_what_a_pod_cannot_do(void **state)
{
	struct world *world = *state;
	const char *pod = furnish(world);
	static const struct {
		const char *mutation, *part;
	} cases[] = {
		{ "podResume(input: {podId: \"%s\"}) { id }", "errors" },
		{ "podBidResume(input: {podId: \"%s\", bidPerGpu: 1, "
		  "gpuCount: 1}) { id }",
		  "Cannot resume an on demand pod as a spot pod." },
		{ "podEditJob(input: {podId: \"%s\", ports: \"x\"}) { id }",
		  "Invalid port" },
		{ "podEditJob(input: {podId: \"%s\", volumeMountPath: \"/n\", "
		  "env: []}) { volumeMountPath env }",
		  "\"volumeMountPath\":\"/n\",\"env\":[" },
		{ "podStop(input: {podId: \"%s\"}) { desiredStatus }",
		  "\"desiredStatus\":\"EXITED\"" },
		{ "podStop(input: {podId: \"%s\"}) { id }", "errors" },
		{ "podTerminate(input: {podId: \"%s\"})",
		  "{\"podTerminate\":null}" },
		{ "podTerminate(input: {podId: \"%s\"})",
		  "pod not found to terminate" },
		{ "podStop(input: {podId: \"%s\"}) { id }", "pod not found" },
		{ "podResume(input: {podId: \"%s\"}) { id }",
		  "pod not found" },
		{ "podBidResume(input: {podId: \"%s\", bidPerGpu: 1, "
		  "gpuCount: 1}) { id }", "pod not found" },
		{ "podEditJob(input: {podId: \"%s\"}) { id }",
		  "pod not found" },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct arena *arena = &world->arena;
		struct str rest, before = str_from(cases[i].mutation);
		before = str_cut(before, '%', &rest);
		rest = str_sub(rest, 1, rest.len);
		assert_has(ask(world, arena_printf(arena, "mutation { " STR_FMT
		    "%s" STR_FMT " }", STR_ARG(before), pod, STR_ARG(rest))
		    .data), cases[i].part);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_graphql_every_field_answers_with_its_type),
		TEST(test_graphql_reads_texts_as_the_language_has_them),
		TEST(test_graphql_says_what_the_language_does_not_allow),
		TEST(test_graphql_reads_all_forms_of_a_document),
		TEST(test_graphql_says_what_does_not_fit_the_schema),
		TEST(test_graphql_takes_variables_where_they_fit),
		TEST(test_graphql_refuses_to_deploy_what_is_not_there),
		TEST(test_graphql_fills_a_pod_from_its_template),
		TEST(test_graphql_refuses_what_a_pod_cannot_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
