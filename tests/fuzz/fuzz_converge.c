/*
 * fuzz_converge.c - any spec, lock and cloud: what an apply that succeeds has
 * left is what was wanted, so a second one has nothing to do.
 *
 * The bytes are choices.  They write a spec, apply it on the model of RunPod
 * (through the world of the simulation, without faults and guests), so that
 * there are a lock and a cloud; meddle with the cloud as people do in its
 * console; write another spec, and apply that.  The checkers of the
 * simulation look on.
 */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/simulation/tale.h"

enum { NAMES = 3, WANTED_MAX = 32, ROUNDS = 3 };

#ifdef PODFORM_PLANT
int podform_plant;
#endif

static const char *
pick(struct fuzz *in, const char *const *words, size_t n)
{
	return words[fuzz_below(in, n)];
}
#define PICK(in, ...) pick((in), (const char *const[]){ __VA_ARGS__ }, \
	COUNTOF(((const char *const[]){ __VA_ARGS__ })))

/* ------------------------------------------------------------- a spec -- */

static void
want(struct wanted *wanted, size_t *n, char name, size_t replicas)
{
	for (size_t key = 0; key < replicas; key++) {
		struct wanted *one = &wanted[(*n)++];
		*one = (struct wanted){ .surge = true };
		if (key == 0)
			snprintf(one->address, sizeof one->address, "pod.%c",
			    name);
		else
			snprintf(one->address, sizeof one->address,
			    "pod.%c[%zu]", name, key);
	}
}

static void
write_env(struct fuzz *in, struct strbuf *out, char name, bool volume)
{
	strbuf_adds(out, "    env:\n      Z: \"1\"\n");
	for (size_t i = fuzz_below(in, 4); i > 0; i--)
		strbuf_addf(out, "      V%zu: %s\n", i, PICK(in, "''", "a",
		    "\"a b\\n\\\"\"", "'${env.HOME}'", "$${x}", "é",
		    "'  '", "'true'"));
	if (volume && fuzz_byte(in) % 4 == 0)
		strbuf_adds(out, "      VOL: ${volume.v.id}\n");
	if (name != 'p' && fuzz_byte(in) % 4 == 0)
		strbuf_adds(out, "      PEER: ${pod.p.id}\n");
}

/* Of a pod, what is not given by every one. */
static void
write_choices(struct fuzz *in, struct strbuf *out, char name, bool volume)
{
	uint8_t some = fuzz_byte(in);

	if (some & 1)
		write_env(in, out, name, volume);
	if (some & 2)
		strbuf_addf(out, "    ports: %s\n", PICK(in, "[]", "[22/tcp]",
		    "[8188/http, 22/tcp]", "[22/tcp, 80/http, 81/tcp]"));
	if (some & 4)
		strbuf_addf(out, "    args: %s\n", PICK(in, "sleep 1", "''",
		    "\"bash -c 'a b'\"", "é"));
	if (some & 8)
		strbuf_addf(out, "    name: %s\n", PICK(in, "train",
		    "train-{n}", "a-very-long-name-for-a-pod-of-this-kind",
		    "x"));
	if (some & 16)
		strbuf_addf(out, "    state: %s\n", PICK(in, "running",
		    "stopped"));
	if (some & 32)
		strbuf_addf(out, "    replace: %s\n", PICK(in,
		    "create_first", "destroy_first"));
	if (some & 64)
		strbuf_addf(out, "    data_centers: %s\n", PICK(in,
		    "EU-RO-1", "[EU-RO-1, US-TX-3]", "[US-KS-2, EU-RO-1]"));
	if (some & 128)
		strbuf_addf(out, "    ignore_drift: %s\n", PICK(in,
		    "[env]", "[image]", "[name, ports]", "[args]"));
	uint8_t more = fuzz_byte(in);
	if (volume && (more & 1))
		strbuf_addf(out, "    network_volume: { volume: v, path: "
		    "%s }\n", PICK(in, "/workspace", "/data"));
	if (more & 2)
		strbuf_addf(out, "    gpu_count: %u\n", 1 + more / 4 % 3);
	if (more & 64)
		strbuf_addf(out, "    protect: %s\n", PICK(in, "true",
		    "false"));
	if (more & 128)
		strbuf_addf(out, "    on_failure: %s\n", PICK(in, "stop",
		    "terminate", "keep"));
}

static void
write_spec(struct tale *tale, struct fuzz *in)
{
	struct wanted wanted[WANTED_MAX];
	struct strbuf out = {0};
	size_t n = 0;
	uint8_t there = fuzz_byte(in);
	bool volume = there & 8;

	strbuf_adds(&out, "project: fuzz\n");
	if (volume)
		strbuf_addf(&out, "volumes:\n  v: { size: %uGB, data_center: "
		    "EU-RO-1 }\n", 10 + there / 16 * 10);
	if (there % 8 == 0)
		there |= 1;
	strbuf_adds(&out, "pods:\n");
	for (size_t i = 0; i < NAMES; i++) {
		char name = (char)('p' + i);
		if (!(there & (1 << i)))
			continue;
		size_t replicas = 1 + fuzz_below(in, 6) / 3;
		strbuf_addf(&out, "  %c:\n    image: %s\n    gpu: %s\n"
		    "    cloud: %s\n    disk: %zuGB\n", name,
		    PICK(in, "acme/model:1", "acme/model:2", "acme/model",
			"Acme.io/x/y@sha256:00112233445566778899aabbccddeeff"
			"00112233445566778899aabbccddeeff"),
		    PICK(in, "NVIDIA A40", "[NVIDIA A40, NVIDIA RTX A6000]",
			"[NVIDIA L40S]", "A40"),
		    PICK(in, "any", "secure", "community"),
		    20 + fuzz_below(in, 3) * 10);
		if (replicas > 1)
			strbuf_addf(&out, "    replicas: %zu\n", replicas);
		write_choices(in, &out, name, volume);
		want(wanted, &n, name, replicas);
	}
	disk_put(tale->sim->disk, SPEC_PATH, strbuf_str(&out));
	check_want(tale->sim, wanted, n);
	tale->sim->still_since_ms = -1;
	sim_trace(tale->sim, "%s", out.data);
	strbuf_release(&out);
}

/* ---------------------------------------------------------- the cloud -- */

static void
meddle(struct sim *sim, struct fuzz *in)
{
	struct model *model = sim->model;
	int64_t now_ms = sim->now_ms;

	sim->still_since_ms = -1;
	for (size_t i = fuzz_below(in, 4); i > 0; i--) {
		size_t count = model_pod_count(model);
		uint8_t what = fuzz_byte(in);
		if (count == 0)
			return;
		struct str id = model_pod_at(model, fuzz_byte(in) %
		    count)->id;
		switch (what % 8) {
		case 0: model_console_stop(model, now_ms, id); break;
		case 1: model_console_start(model, now_ms, id); break;
		case 2: model_console_delete(model, now_ms, id); break;
		case 3:
			model_console_edit_env(model, now_ms, id, STR("Z"),
			    what & 8 ? STR("2") : (struct str){0});
			break;
		case 4:
			model_console_edit(model, now_ms, id, what & 8 ?
			    STR("other:9") : (struct str){0}, 30);
			break;
		case 5:
			model_console_lookalike(model, now_ms, id, what & 8);
			break;
		case 6: model_console_restart(model, now_ms, id); break;
		default:
			sim_pass(sim, 1000 * (int64_t)what);
		}
		now_ms = sim->now_ms;
	}
}

/* ------------------------------------------------------------- a life -- */

static void
hold(const struct sim *sim)
{
	if (sim->violation == NULL)
		return;
	fprintf(stderr, "%s\n", sim->violation);
	abort();
}

static void
live(struct tale *tale, struct fuzz *in)
{
	struct sim *sim = tale->sim;
	bool empty;

	for (int round = 0; round < ROUNDS; round++) {
		write_spec(tale, in);
		int code = tale_process(tale, false, &empty);
		hold(sim);
		if (code == EXIT_OK) {
			sim_pass(sim, 1000 * (int64_t)fuzz_byte(in));
			int again = tale_process(tale, false, &empty);
			hold(sim);
			assert(again == EXIT_OK && empty);
		}
		if (in->left == 0)
			return;
		meddle(sim, in);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = { data, size };
	struct sim sim = { .seed = 1, .other_spec = true,
		.trace = getenv("FUZZ_TRACE") != NULL ? stderr : NULL };
	struct tale tale = { .sim = &sim };
	struct model_config config;

	model_config_default(&config);
	config.seed = 38;
	config.provision_ms = 100 + 10 * fuzz_byte(&in);
	config.start_ms = 100 + 60 * fuzz_byte(&in);
	config.ports_ms = 10 * fuzz_byte(&in);
	config.rate_limit = false;
	config.balance = INT64_C(10000) * 1000000;
	config.spend_limit = INT64_C(1000) * 1000000;
	tale_open(&tale, 1, &config);
	live(&tale, &in);
	tale_close(&tale);
	free(sim.violation);
	return 0;
}
