/*
 * test_runpod_model.c - our client against the model of the service.
 *
 * The two were written apart, from the same published description, and
 * share no code for it: what one says the other has to understand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/runpod/runpod.h"
#include "model/model.h"
#include "plan/planner.h"

static const int64_t start_ms = 1795262400000;

struct talk {
	struct arena arena;
	struct model *model;
	int64_t now_ms;
	const char *authorization;
};

static void
talk_open(struct talk *talk)
{
	struct model_config config;
	model_config_default(&config);
	config.rate_limit = true;
	*talk = (struct talk){
		.model = model_new(&config, start_ms), .now_ms = start_ms,
		.authorization = "Bearer rpa_sim",
	};
}

static void
talk_close(struct talk *talk)
{
	model_free(talk->model);
	arena_release(&talk->arena);
}

static struct str
header(const struct model_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->nheaders; i++)
		if (str_eq_fold(str_from(reply->headers[i].name),
			str_from(name)))
			return reply->headers[i].value;
	return (struct str){0};
}

static struct cloud_answer
ask(struct talk *talk, struct cloud_request request)
{
	static const char *const methods[] = {
		"GET", "POST", "PUT", "PATCH", "DELETE",
	};
	struct http_request http;
	struct model_reply reply;
	struct cloud_answer answer;

	runpod.encode(&talk->arena, &request, &http);
	struct str query = {0};
	struct str path = str_cut(http.path, '?', &query);
	struct model_request sent = {
		.method = str_from(methods[http.method]),
		.path = arena_printf(&talk->arena, "%s" STR_FMT,
		    http.host == HOST_CLOUD ? "/v2" : "/graphql",
		    STR_ARG(path)),
		.query = query,
		.authorization = str_from(talk->authorization),
		.body = http.body,
	};
	model_http(talk->model, talk->now_ms, &talk->arena, &sent, &reply);
	assert_int_equal(reply.transport, MODEL_ANSWERED);
	struct http_answer got = {
		.outcome = HTTP_ANSWERED, .status = reply.status,
		.body = reply.body,
		.ratelimit = header(&reply, "RateLimit"),
		.retry_after = header(&reply, "Retry-After"),
		.request_id = header(&reply, "x-request-id"),
	};
	runpod.decode(&talk->arena, &request, &got, talk->now_ms, &answer);
	if (answer.outcome != OUTCOME_OK)
		print_message("%s: %d " STR_FMT "\n",
		    cloud_op_words(request.op), answer.status,
		    STR_ARG(answer.message));
	return answer;
}

static struct str ports[] = { STR_INIT("22/tcp"), STR_INIT("8188/http") };
static struct env_var env[] = {
	{ STR_INIT("MODE"), STR_INIT("train \"x\""), false },
};

static struct pod_config
a_pod(void)
{
	return (struct pod_config){
		.name = STR("trainer-pf0123"), .image = STR("runpod/x:1"),
		.gpu = STR("NVIDIA A40"), .gpu_count = 1,
		.tier = TIER_SECURE, .disk_gb = 50,
		.persistent_gb = 20, .persistent_path = STR("/workspace"),
		.ports = ports, .nports = 2, .env = env, .nenv = 1,
	};
}

static struct cloud_answer
do_pod(struct talk *talk, enum cloud_op op, struct str id)
{
	return ask(talk, (struct cloud_request){ .op = op, .id = id });
}

static void
test_runpod_model_a_pod_lives_as_asked(void **state)
{
	struct pod_config config = a_pod();
	struct talk talk;
	(void)state;

	talk_open(&talk);
	struct cloud_answer answer = ask(&talk, (struct cloud_request){
		.op = CLOUD_CREATE_POD, .pod = &config,
		.mark = STR("v1 l o pod.trainer"),
	});
	assert_int_equal(answer.outcome, OUTCOME_OK);
	struct str id = answer.pods[0].id;
	assert_true(answer.request_id.len > 0);
	assert_true(answer.ratelimit_left >= 0);

	talk.now_ms += 10 * 60 * 1000;
	answer = do_pod(&talk, CLOUD_LIST_PODS, (struct str){0});
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.npods, 1);
	const struct cloud_pod *pod = answer.pods;
	assert_true(str_eq(pod->id, id));
	assert_true(str_is(pod->mark, "v1 l o pod.trainer"));
	assert_int_equal(pod->status, POD_RUNNING);
	assert_true(pod->has_runtime);
	assert_true(pod->ssh.port != 0);
	assert_true(pod->cost_known && pod->cost_per_hour > 0);
	/* What was asked comes back, so that a second plan is empty. */
	assert_true(str_eq(pod->config.name, config.name));
	assert_true(str_eq(pod->config.image, config.image));
	assert_int_equal(pod->config.args.len, 0);
	assert_true(str_eq(pod->config.gpu, config.gpu));
	assert_int_equal(pod->config.gpu_count, 1);
	assert_int_equal(pod->config.disk_gb, 50);
	assert_int_equal(pod->config.persistent_gb, 20);
	assert_true(str_eq(pod->config.persistent_path, STR("/workspace")));
	assert_int_equal(pod->config.tier, TIER_SECURE);
	assert_int_equal(pod->config.nports, 2);
	assert_true(str_is(pod->config.ports[0], "22/tcp"));
	assert_int_equal(pod->config.nenv, 1);
	assert_true(str_is(pod->config.env[0].value, "train \"x\""));
	talk_close(&talk);
}

static void
test_runpod_model_each_change_of_a_pod_works(void **state)
{
	struct pod_config config = a_pod();
	struct talk talk;
	(void)state;

	talk_open(&talk);
	struct str mark = STR("v1 l o pod.trainer");
	struct str id = ask(&talk, (struct cloud_request){
		.op = CLOUD_CREATE_POD, .pod = &config, .mark = mark,
	}).pods[0].id;
	talk.now_ms += 600 * 1000;
	struct cloud_answer answer = do_pod(&talk, CLOUD_GET_POD, id);
	assert_int_equal(answer.outcome, OUTCOME_OK);

	config.image = STR("runpod/x:2");
	config.args = STR("sleep 1");
	config.disk_gb = 60;
	config.name = STR("renamed");
	env[0].value = STR("eval");
	answer = ask(&talk, (struct cloud_request){
		.op = CLOUD_UPDATE_POD, .id = id, .pod = &config,
		.mark = mark, .keep = answer.pods[0].injected,
		.nkeep = answer.pods[0].ninjected,
		.changes = CHANGE_NAME | CHANGE_IMAGE | CHANGE_ARGS |
		    CHANGE_DISK | CHANGE_PORTS | CHANGE_ENV,
	});
	env[0].value = STR("train \"x\"");
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_true(str_is(answer.pods[0].config.image, "runpod/x:2"));
	assert_true(str_is(answer.pods[0].config.args, "sleep 1"));
	assert_true(str_is(answer.pods[0].config.env[0].value, "eval"));
	assert_true(str_eq(answer.pods[0].mark, mark));

	talk.now_ms += 600 * 1000;
	assert_int_equal(do_pod(&talk, CLOUD_RESTART_POD, id).outcome,
	    OUTCOME_OK);
	talk.now_ms += 600 * 1000;
	assert_int_equal(do_pod(&talk, CLOUD_STOP_POD, id).outcome,
	    OUTCOME_OK);
	talk.now_ms += 600 * 1000;
	answer = do_pod(&talk, CLOUD_STOP_POD, id);
	assert_int_equal(answer.outcome, OUTCOME_NO_EFFECT);
	assert_int_equal(answer.reason, REASON_CONFLICT);
	assert_int_equal(do_pod(&talk, CLOUD_START_POD, id).outcome,
	    OUTCOME_OK);
	assert_int_equal(do_pod(&talk, CLOUD_DELETE_POD, id).outcome,
	    OUTCOME_OK);
	talk.now_ms += 24 * 3600 * 1000;
	answer = do_pod(&talk, CLOUD_GET_POD, id);
	assert_int_equal(answer.outcome, OUTCOME_NO_EFFECT);
	assert_int_equal(answer.reason, REASON_NOT_FOUND);
	talk_close(&talk);
}

static void
test_runpod_model_volumes_catalog_and_account(void **state)
{
	struct talk talk;
	(void)state;

	talk_open(&talk);
	struct cloud_answer answer = ask(&talk, (struct cloud_request){
		.op = CLOUD_LIST_DATA_CENTERS });
	assert_int_equal(answer.outcome, OUTCOME_OK);
	struct str place = {0};
	for (size_t i = 0; i < answer.ndata_centers; i++)
		if (answer.data_centers[i].volumes)
			place = answer.data_centers[i].id;
	assert_true(place.len > 0);

	answer = ask(&talk, (struct cloud_request){
		.op = CLOUD_CREATE_VOLUME,
		.volume = { .name = STR("data"), .data_center = place,
		    .size_gb = 100 },
	});
	assert_int_equal(answer.outcome, OUTCOME_OK);
	struct str id = answer.volumes[0].id;
	answer = ask(&talk, (struct cloud_request){
		.op = CLOUD_UPDATE_VOLUME, .id = id,
		.volume = { .size_gb = 200 },
	});
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_int_equal(answer.volumes[0].size_gb, 200);
	assert_true(str_is(answer.volumes[0].name, "data"));
	assert_int_equal(do_pod(&talk, CLOUD_GET_VOLUME, id).outcome,
	    OUTCOME_OK);
	answer = do_pod(&talk, CLOUD_LIST_VOLUMES, (struct str){0});
	assert_int_equal(answer.nvolumes, 1);
	assert_true(str_eq(answer.volumes[0].data_center, place));
	assert_int_equal(do_pod(&talk, CLOUD_DELETE_VOLUME, id).outcome,
	    OUTCOME_OK);

	answer = ask(&talk, (struct cloud_request){
		.op = CLOUD_LIST_GPUS, .gpu_count = 2 });
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_true(answer.ngpus > 20);
	bool found = false;
	for (size_t i = 0; i < answer.ngpus; i++)
		if (str_is(answer.gpus[i].id, "NVIDIA A40")) {
			found = true;
			assert_true(answer.gpus[i].secure_price > 0);
			assert_true(answer.gpus[i].memory_gb == 48);
			assert_true(answer.gpus[i].stock != STOCK_UNKNOWN);
		}
	assert_true(found);

	answer = ask(&talk, (struct cloud_request){
		.op = CLOUD_GET_ACCOUNT });
	assert_int_equal(answer.outcome, OUTCOME_OK);
	assert_true(answer.account.balance_known);
	assert_true(answer.account.balance > 0);
	talk_close(&talk);
}

static void
test_runpod_model_refusals_keep_their_meaning(void **state)
{
	static const struct {
		int status;
		enum cloud_outcome outcome;
		enum cloud_reason reason;
	} cases[] = {
		{ 402, OUTCOME_NO_EFFECT, REASON_BALANCE },
		{ 403, OUTCOME_NO_EFFECT, REASON_FORBIDDEN },
		{ 422, OUTCOME_NO_EFFECT, REASON_BAD_REQUEST },
		{ 500, OUTCOME_UNKNOWN, REASON_TRANSIENT },
		{ 503, OUTCOME_UNKNOWN, REASON_TRANSIENT },
	};
	struct pod_config config = a_pod();
	struct cloud_request create = {
		.op = CLOUD_CREATE_POD, .pod = &config, .mark = STR("m"),
	};
	struct talk talk;
	(void)state;

	talk_open(&talk);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct model_script script = {
			.call = MODEL_POD_CREATE, .nth = 1,
			.fault = MODEL_ERROR_BEFORE,
			.status = cases[i].status,
		};
		model_clear_scripts(talk.model);
		model_add_script(talk.model, &script);
		struct cloud_answer answer = ask(&talk, create);
		assert_int_equal(answer.status, cases[i].status);
		assert_int_equal(answer.outcome, cases[i].outcome);
		assert_int_equal(answer.reason, cases[i].reason);
	}
	struct model_script script = {
		.call = MODEL_POD_CREATE, .nth = 1, .fault = MODEL_NO_STOCK,
	};
	model_clear_scripts(talk.model);
	model_add_script(talk.model, &script);
	struct cloud_answer answer = ask(&talk, create);
	assert_int_equal(answer.outcome, OUTCOME_NO_EFFECT);
	assert_int_equal(answer.reason, REASON_NO_CAPACITY);

	script.fault = MODEL_RATE_LIMITED;
	script.retry_after = STR("7");
	model_clear_scripts(talk.model);
	model_add_script(talk.model, &script);
	answer = ask(&talk, create);
	assert_int_equal(answer.reason, REASON_RATE_LIMITED);
	assert_int_equal(answer.retry_after_ms, 7000);

	talk.authorization = "Bearer wrong";
	answer = ask(&talk, create);
	assert_int_equal(answer.outcome, OUTCOME_NO_EFFECT);
	assert_int_equal(answer.reason, REASON_AUTH);
	answer = ask(&talk, (struct cloud_request){
		.op = CLOUD_GET_ACCOUNT });
	assert_int_equal(answer.reason, REASON_AUTH);
	talk_close(&talk);
}

/* The plan keeps its own list, since it may not look into a provider. */
static void
test_runpod_and_plan_agree_on_what_is_injected(void **state)
{
	size_t n;
	const struct runpod_injected *rows = runpod_injected_env(&n);
	(void)state;

	for (size_t i = 0; i < n; i++)
		assert_true(env_injected(str_from(rows[i].name)));
	assert_false(env_injected(STR("SSH_PUBLIC_KEY")));
	assert_null(runpod_injected_find(STR("SSH_PUBLIC_KEY")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runpod_model_a_pod_lives_as_asked),
		cmocka_unit_test(test_runpod_model_each_change_of_a_pod_works),
		cmocka_unit_test(test_runpod_model_volumes_catalog_and_account),
		cmocka_unit_test(test_runpod_model_refusals_keep_their_meaning),
		cmocka_unit_test(
		    test_runpod_and_plan_agree_on_what_is_injected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
