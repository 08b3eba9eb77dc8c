/* options.c - the command line of podform-sim. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

static bool
number(const char *text, int64_t max, int64_t *out)
{
	return parse_int(str_from(text), 0, max, out);
}

static bool
set_listen(struct sim_options *options, const char *value)
{
	options->listen = value;
	return true;
}

static bool
set_port_file(struct sim_options *options, const char *value)
{
	options->port_file = value;
	return true;
}

static bool
set_account(struct sim_options *options, const char *value)
{
	options->account_file = value;
	return true;
}

static bool
set_preload(struct sim_options *options, const char *value)
{
	options->preload_file = value;
	return true;
}

static bool
set_log(struct sim_options *options, const char *value)
{
	options->log_file = value;
	return true;
}

static bool
set_key(struct sim_options *options, const char *value)
{
	options->model.key = value;
	return value[0] != '\0';
}

static bool
set_github_token(struct sim_options *options, const char *value)
{
	options->github_token = value;
	return value[0] != '\0';
}

static bool
set_latency(struct sim_options *options, const char *value)
{
	return number(value, 3600 * 1000, &options->model.latency_ms);
}

/* A quarter of the time a pod is provisioned, then it starts. */
static bool
set_pod_start(struct sim_options *options, const char *value)
{
	int64_t ms;

	if (!number(value, 24 * 3600 * 1000, &ms))
		return false;
	options->model.provision_ms = ms / 4;
	options->model.start_ms = ms - ms / 4;
	options->model.ports_ms = 0;
	return true;
}

static bool
set_pods(struct sim_options *options, const char *value)
{
	static const char *const words[] = {
		[SIM_PODS_NONE] = "none", [SIM_PODS_TCP] = "tcp",
		[SIM_PODS_SANDBOX] = "sandbox",
	};

	for (size_t i = 0; i < COUNTOF(words); i++)
		if (strcmp(value, words[i]) == 0) {
			options->pods = (enum sim_pods)i;
			return true;
		}
	return false;
}

static bool
set_capacity(struct sim_options *options, const char *value)
{
	if (options->ncapacity == COUNTOF(options->capacity) ||
	    strchr(value, '=') == NULL)
		return false;
	options->capacity[options->ncapacity++] = value;
	return true;
}

static bool
set_rate_limit(struct sim_options *options, const char *value)
{
	options->model.rate_limit = strcmp(value, "on") == 0;
	return options->model.rate_limit || strcmp(value, "off") == 0;
}

static bool
set_speed(struct sim_options *options, const char *value)
{
	return number(value, SIM_SPEED_MAX, &options->speed) &&
	    options->speed > 0;
}

static bool
set_seed(struct sim_options *options, const char *value)
{
	int64_t seed;

	if (!number(value, INT64_MAX, &seed))
		return false;
	options->model.seed = (uint64_t)seed;
	return true;
}

static bool
set_balance(struct sim_options *options, const char *value)
{
	return parse_usd(str_from(value), &options->model.balance);
}

static bool
set_spend_limit(struct sim_options *options, const char *value)
{
	return parse_usd(str_from(value), &options->model.spend_limit);
}

static bool
set_parent(struct sim_options *options, const char *value)
{
	int64_t pid;

	if (!number(value, INT32_MAX, &pid) || pid == 0)
		return false;
	options->parent_pid = (int)pid;
	return true;
}

static bool
set_idle_exit(struct sim_options *options, const char *value)
{
	return parse_duration(str_from(value), &options->idle_exit_ms);
}

static const struct option_row {
	const char *name, *value, *help;
	bool (*set)(struct sim_options *options, const char *value);
} rows[] = {
	{ "--listen", "ADDRESS:PORT",
	    "loopback address; port 0 takes a free one\n(127.0.0.1:0)",
	    set_listen },
	{ "--port-file", "FILE", "write the port there once it listens",
	    set_port_file },
	{ "--key", "KEY", "the API key that is valid (rpa_sim)", set_key },
	{ "--github-token", "TOKEN", "GitHub's token of an admin (ghp_sim)",
	    set_github_token },
	{ "--latency", "MS", "added to every answer (0)", set_latency },
	{ "--pod-start", "MS", "from create to RUNNING with ports (1800)",
	    set_pod_start },
	{ "--pods", "KIND", "what stands behind a pod: none, tcp (a "
	    "listener\nwith an SSH banner) or sandbox (bubblewrap with a\n"
	    "real sshd) (tcp)", set_pods },
	{ "--capacity", "GPU=N", "N GPUs of that type in all; may be repeated",
	    set_capacity },
	{ "--rate-limit", "on|off", "quotas, their headers and 429 (on)",
	    set_rate_limit },
	{ "--speed", "N", "service seconds per real second (1)", set_speed },
	{ "--seed", "N", "of all chance (1)", set_seed },
	{ "--balance", "USD", "of the account (1000)", set_balance },
	{ "--spend-limit", "USD", "per hour; 0 for none; real accounts begin with\n80 (10000)",
	    set_spend_limit },
	{ "--preload", "FILE", "pods that are there from the start, as the "
	    "body of\nPOST /control/preload", set_preload },
	{ "--account", "FILE", "write the account there at the end, and at "
	    "each\nPOST /control/account", set_account },
	{ "--log", "FILE", "append a line per request", set_log },
	{ "--parent-pid", "PID", "end when that process does", set_parent },
	{ "--idle-exit", "DURATION", "end after so long without a request",
	    set_idle_exit },
};

static void
print_help(void)
{
	puts("podform-sim - RunPod on your own machine\n\n"
	    "It speaks REST v2 under /v2 and GraphQL at /graphql, keeps an "
	    "account of pods\nand dollars, and can be told to fail: see "
	    "cmd/podform-sim/README.md. The\nfirst line that it prints says "
	    "where it listens.\n\nOptions:");
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		char left[40];
		const char *help = rows[i].help, *end;
		snprintf(left, sizeof left, "%s %s", rows[i].name,
		    rows[i].value);
		while ((end = strchr(help, '\n')) != NULL) {
			printf("  %-24s %.*s\n", left, (int)(end - help),
			    help);
			left[0] = '\0';
			help = end + 1;
		}
		printf("  %-24s %s\n", left, help);
	}
}

/* The row that arg names; *value is what follows a '='. */
static const struct option_row *
find_row(const char *arg, const char **value)
{
	size_t length = strcspn(arg, "=");

	*value = arg[length] == '=' ? arg + length + 1 : NULL;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (strlen(rows[i].name) == length &&
		    strncmp(rows[i].name, arg, length) == 0)
			return &rows[i];
	return NULL;
}

bool
sim_parse_options(int argc, char **argv, struct sim_options *options,
    int *status)
{
	*options = (struct sim_options){
		.listen = "127.0.0.1:0", .github_token = "ghp_sim",
		.pods = SIM_PODS_TCP, .speed = 1,
	};
	model_config_default(&options->model);
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct option_row *row = find_row(argv[i], &value);
		if (strcmp(argv[i], "--help") == 0) {
			print_help();
			*status = 0;
			return false;
		}
		*status = 3;
		if (row == NULL) {
			fprintf(stderr, "podform-sim: unknown option '%s'; "
			    "see --help\n", argv[i]);
			return false;
		}
		if (value == NULL && ++i < argc)
			value = argv[i];
		if (value == NULL || !row->set(options, value)) {
			fprintf(stderr, "podform-sim: %s needs %s\n",
			    row->name, row->value);
			return false;
		}
	}
	return true;
}
