/* cloud.c - words and orders of what cloud.h declares */
#include "base/cloud.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mark.h"

static const struct {
	const char *words;
	bool changes;
} ops[] = {
	[CLOUD_LIST_PODS] = { "list pods", false },
	[CLOUD_GET_POD] = { "get pod", false },
	[CLOUD_CREATE_POD] = { "create pod", true },
	[CLOUD_UPDATE_POD] = { "update pod", true },
	[CLOUD_START_POD] = { "start pod", true },
	[CLOUD_STOP_POD] = { "stop pod", true },
	[CLOUD_RESTART_POD] = { "restart pod", true },
	[CLOUD_DELETE_POD] = { "delete pod", true },
	[CLOUD_LIST_VOLUMES] = { "list volumes", false },
	[CLOUD_GET_VOLUME] = { "get volume", false },
	[CLOUD_CREATE_VOLUME] = { "create volume", true },
	[CLOUD_UPDATE_VOLUME] = { "update volume", true },
	[CLOUD_DELETE_VOLUME] = { "delete volume", true },
	[CLOUD_LIST_GPUS] = { "list gpus", false },
	[CLOUD_LIST_DATA_CENTERS] = { "list data centers", false },
	[CLOUD_GET_ACCOUNT] = { "get account", false },
	[CLOUD_GET_SSH_KEYS] = { "get the account's SSH keys", false },
	[CLOUD_GET_LOG] = { "read the log", false },
};
_Static_assert(COUNTOF(ops) == CLOUD_OP_COUNT, "every op has its words");

const char *
cloud_op_words(enum cloud_op op)
{
	assert((size_t)op < COUNTOF(ops));
	return ops[op].words;
}

bool
cloud_op_changes(enum cloud_op op)
{
	assert((size_t)op < COUNTOF(ops));
	return ops[op].changes;
}

/* The number before the slash; what is none comes first. */
static unsigned
port_number(struct str port)
{
	unsigned number = 0;
	for (size_t i = 0; i < port.len && port.data[i] != '/'; i++) {
		if (port.data[i] < '0' || port.data[i] > '9' || number > 65535)
			return 0;
		number = number * 10 + (unsigned)(port.data[i] - '0');
	}
	return number;
}

static int
compare_ports(const void *one, const void *two)
{
	const struct str *a = one, *b = two;
	unsigned x = port_number(*a), y = port_number(*b);
	return x != y ? (x > y) - (x < y) : str_cmp(*a, *b);
}

static int
compare_env(const void *one, const void *two)
{
	const struct env_var *a = one, *b = two;
	int order = str_cmp(a->name, b->name);
	return order != 0 ? order : str_cmp(a->value, b->value);
}

void
pod_config_sort(struct pod_config *config)
{
	size_t kept = 0;

	if (config->nports > 0)
		qsort(config->ports, config->nports, sizeof *config->ports,
		    compare_ports);
	for (size_t i = 0; i < config->nports; i++)
		if (kept == 0 ||
		    !str_eq(config->ports[i], config->ports[kept - 1]))
			config->ports[kept++] = config->ports[i];
	config->nports = kept;

	kept = 0;
	for (size_t i = 0; i < config->nenv; i++)
		if (!str_is(config->env[i].name, MARK_ENV))
			config->env[kept++] = config->env[i];
	config->nenv = kept;
	if (kept > 0)
		qsort(config->env, kept, sizeof *config->env, compare_env);
}
