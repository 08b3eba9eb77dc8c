/* truth.c - what the model knows, for checkers and reports. */
#include "model/private.h"

size_t
model_pod_count(const struct model *model)
{
	return model->pods.n;
}

const struct model_pod *
model_pod_at(const struct model *model, size_t i)
{
	return model->pods.items[i];
}

const struct model_pod *
model_pod_find(const struct model *model, struct str id)
{
	return map_get(&model->pods_by_id, id);
}

size_t
model_volume_count(const struct model *model)
{
	return model->volumes.n;
}

const struct model_volume *
model_volume_at(const struct model *model, size_t i)
{
	return model->volumes.items[i];
}

bool
model_pod_billed(const struct model_pod *pod)
{
	return pod->status != MODEL_TERMINATED;
}

size_t
model_log_count(const struct model *model)
{
	return model->log.n;
}

const struct model_entry *
model_log_at(const struct model *model, size_t i)
{
	return &model->log.items[i];
}

int64_t
model_calls(const struct model *model, enum model_call call)
{
	return model->calls[call];
}

int64_t
model_fired(const struct model *model, enum model_fault fault)
{
	return model->fired[fault];
}

int64_t
model_now(const struct model *model)
{
	return model->now_ms;
}

const char *
model_status_word(enum model_status status)
{
	static const char *const words[] = {
		[MODEL_PROVISIONING] = "PROVISIONING",
		[MODEL_STARTING] = "STARTING",
		[MODEL_RUNNING] = "RUNNING",
		[MODEL_EXITED] = "EXITED",
		[MODEL_ERROR] = "ERROR",
		[MODEL_TERMINATED] = "TERMINATED",
	};

	return words[status];
}

const char *
model_op_name(enum model_op op)
{
	static const char *const names[] = {
		[MODEL_OP_CREATE] = "create",
		[MODEL_OP_UPDATE] = "update",
		[MODEL_OP_START] = "start",
		[MODEL_OP_STOP] = "stop",
		[MODEL_OP_RESTART] = "restart",
		[MODEL_OP_TERMINATE] = "terminate",
		[MODEL_OP_VOLUME_CREATE] = "volume_create",
		[MODEL_OP_VOLUME_UPDATE] = "volume_update",
		[MODEL_OP_VOLUME_DELETE] = "volume_delete",
		[MODEL_OP_ACCOUNT] = "account",
	};

	return names[op];
}

const char *
model_actor_name(enum model_actor actor)
{
	static const char *const names[] = {
		[MODEL_BY_API] = "api",
		[MODEL_BY_CONSOLE] = "console",
		[MODEL_BY_CLOUD] = "cloud",
	};

	return names[actor];
}

static const char *const call_names[MODEL_CALL_COUNT] = {
	[MODEL_POD_CREATE] = "pod_create",
	[MODEL_POD_LIST] = "pod_list",
	[MODEL_POD_GET] = "pod_get",
	[MODEL_POD_UPDATE] = "pod_update",
	[MODEL_POD_START] = "pod_start",
	[MODEL_POD_STOP] = "pod_stop",
	[MODEL_POD_RESTART] = "pod_restart",
	[MODEL_POD_DELETE] = "pod_delete",
	[MODEL_VOLUME_CREATE] = "volume_create",
	[MODEL_VOLUME_LIST] = "volume_list",
	[MODEL_VOLUME_GET] = "volume_get",
	[MODEL_VOLUME_UPDATE] = "volume_update",
	[MODEL_VOLUME_DELETE] = "volume_delete",
	[MODEL_CATALOG] = "catalog",
	[MODEL_ACCOUNT] = "account",
	[MODEL_GRAPHQL] = "graphql",
	[MODEL_OTHER] = "other",
};

static const char *const fault_names[MODEL_FAULT_COUNT] = {
	[MODEL_ERROR_BEFORE] = "error_before",
	[MODEL_ERROR_AFTER] = "error_after",
	[MODEL_BODY] = "body",
	[MODEL_DELAYED] = "delayed",
	[MODEL_STALE] = "stale",
	[MODEL_GET_404] = "get_404",
	[MODEL_SHRUNK] = "shrunk",
	[MODEL_TWICE] = "twice",
	[MODEL_RATE_LIMITED] = "rate_limited",
	[MODEL_NO_STOCK] = "no_stock",
	[MODEL_TAKEN] = "taken",
	[MODEL_STUCK] = "stuck",
	[MODEL_ODD] = "odd",
	[MODEL_CONSOLE] = "console",
	[MODEL_KEY_REVOKED] = "key_revoked",
	[MODEL_BROKE] = "broke",
	[MODEL_DROP_BEFORE] = "drop_before",
	[MODEL_SLOW] = "slow",
};

const char *
model_call_name(enum model_call call)
{
	return call_names[call];
}

const char *
model_fault_name(enum model_fault fault)
{
	return fault_names[fault];
}

bool
model_call_find(struct str name, enum model_call *out)
{
	for (int i = 0; i < MODEL_CALL_COUNT; i++)
		if (str_is(name, call_names[i])) {
			*out = (enum model_call)i;
			return true;
		}
	return false;
}

bool
model_fault_find(struct str name, enum model_fault *out)
{
	for (int i = 0; i < MODEL_FAULT_COUNT; i++)
		if (str_is(name, fault_names[i])) {
			*out = (enum model_fault)i;
			return true;
		}
	return false;
}
