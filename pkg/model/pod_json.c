/* pod_json.c - a pod as the REST v2 shows it. */
#include "model/rest.h"

void
rest_put_env(struct json_out *out, const struct model_env *env, size_t n)
{
	json_out_key(out, "env");
	json_out_open(out, '{');
	for (size_t i = 0; i < n; i++) {
		json_out_key_str(out, env[i].name);
		json_out_str(out, env[i].value);
	}
	json_out_close(out, '}');
}

static enum model_status
shown_status(const struct model *model, const struct model_pod *pod,
    int64_t stale_ms)
{
	enum model_status status = pod->status;

	if (status == MODEL_TERMINATED &&
	    model->now_ms - stale_ms < pod->ended_ms)
		status = pod->before_end;
	if (pod->early_running &&
	    (status == MODEL_PROVISIONING || status == MODEL_STARTING))
		status = MODEL_RUNNING;
	return status;
}

static void
put_actions(struct json_out *out, enum model_status status)
{
	static const char *const actions[][4] = {
		[MODEL_PROVISIONING] = { "stop", "terminate" },
		[MODEL_STARTING] = { "stop", "terminate" },
		[MODEL_RUNNING] = { "stop", "restart", "terminate" },
		[MODEL_EXITED] = { "start", "terminate" },
		[MODEL_ERROR] = { "start", "terminate" },
		[MODEL_TERMINATED] = { NULL },
	};

	json_out_key(out, "actions");
	json_out_open(out, '[');
	for (int i = 0; actions[status][i] != NULL; i++)
		json_out_str(out, str_from(actions[status][i]));
	json_out_close(out, ']');
}

enum { DIGITS = 10 };

static struct str
decimal(char digits[DIGITS], uint32_t n)
{
	size_t at = DIGITS;

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	return (struct str){ digits + at, DIGITS - at };
}

static void
put_port_text(struct json_out *out, const struct model_port *port)
{
	char digits[DIGITS];

	json_out_begin_str(out);
	json_out_piece(out, decimal(digits, port->inside));
	json_out_piece(out, port->tcp ? STR("/tcp") : STR("/http"));
	json_out_end_str(out);
}

static void
put_container(struct json_out *out, const struct model_pod *pod)
{
	json_out_member(out, "image", pod->image);
	json_out_member(out, "args", pod->args);
	json_out_member_int(out, "disk", pod->disk_gb);
	json_out_key(out, "mounts");
	json_out_open(out, '{');
	if (pod->persistent_gb > 0) {
		json_out_key(out, "persistent");
		json_out_open(out, '{');
		json_out_member_int(out, "size", pod->persistent_gb);
		json_out_member(out, "path", pod->persistent_path);
		json_out_close(out, '}');
	}
	if (pod->volume_id.len > 0) {
		json_out_key(out, "network");
		json_out_open(out, '[');
		json_out_open(out, '{');
		json_out_member(out, "volumeId", pod->volume_id);
		json_out_member(out, "path", pod->volume_path);
		json_out_close(out, '}');
		json_out_close(out, ']');
	}
	json_out_close(out, '}');
	json_out_key(out, "ports");
	json_out_open(out, '[');
	for (size_t i = 0; i < pod->nports; i++)
		put_port_text(out, &pod->ports[i]);
	json_out_close(out, ']');
	rest_put_env(out, pod->env, pod->nenv);
	json_out_member_or_null(out, "registry", pod->registry);
}

static void
put_endpoint(struct json_out *out, struct str host, int port, struct str user)
{
	char digits[DIGITS];

	json_out_open(out, '{');
	json_out_member(out, "host", host);
	json_out_member_int(out, "port", port);
	json_out_member(out, "username", user);
	json_out_key(out, "command");
	json_out_begin_str(out);
	json_out_piece(out, STR("ssh "));
	json_out_piece(out, user);
	json_out_piece(out, STR("@"));
	json_out_piece(out, host);
	if (port != 22) {
		json_out_piece(out, STR(" -p "));
		json_out_piece(out, decimal(digits, (uint32_t)port));
	}
	json_out_end_str(out);
	json_out_close(out, '}');
}

static void
put_ssh(struct json_out *out, const struct model_pod *pod,
    enum model_status status, bool mapped)
{
	int direct = 0;

	for (size_t i = 0; i < pod->nports && mapped; i++)
		if (pod->ports[i].inside == 22 && pod->ports[i].tcp)
			direct = pod->ports[i].outside;
	json_out_key(out, "ssh");
	json_out_open(out, '{');
	json_out_key(out, "proxy");
	if (status == MODEL_PROVISIONING || status == MODEL_TERMINATED)
		json_out_null(out);
	else
		put_endpoint(out, STR("ssh.runpod.io"), 22, pod->host_id);
	json_out_key(out, "direct");
	if (direct == 0)
		json_out_null(out);
	else
		put_endpoint(out, pod->host, direct, STR("root"));
	json_out_close(out, '}');
}

static void
put_runtime(struct json_out *out, const struct model *model,
    const struct model_pod *pod, bool mapped)
{
	/* Utilization wanders with time, so that nobody takes it for fixed. */
	int64_t uptime = (model->now_ms - pod->up_ms) / 1000;
	int busy = (int)((uptime * 7 + (int64_t)pod->number * 13) % 100);

	json_out_open(out, '{');
	json_out_member_int(out, "uptime", uptime);
	json_out_key(out, "gpus");
	json_out_open(out, '[');
	for (int64_t i = 0; i < pod->gpu_count; i++) {
		json_out_open(out, '{');
		json_out_member_int(out, "util", busy);
		json_out_member_int(out, "memoryUtil", busy / 2);
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
	json_out_key(out, "cpu");
	json_out_open(out, '{');
	json_out_member_int(out, "util", busy / 3);
	json_out_close(out, '}');
	json_out_key(out, "memory");
	json_out_open(out, '{');
	json_out_member_int(out, "util", busy / 4);
	json_out_close(out, '}');
	json_out_key(out, "ports");
	json_out_open(out, '[');
	for (size_t i = 0; i < pod->nports && mapped; i++) {
		const struct model_port *port = &pod->ports[i];
		if (port->outside == 0)
			continue;
		json_out_open(out, '{');
		json_out_member_int(out, "private", port->inside);
		json_out_member_int(out, "public", port->outside);
		json_out_member_c(out, "type", port->tcp ? "tcp" : "http");
		json_out_member(out, "ip", port->tcp ? pod->host
		    : STR("100.65.0.101"));
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
	json_out_close(out, '}');
}

static void
put_compute(struct json_out *out, const struct model_pod *pod)
{
	if (pod->gpu != NULL) {
		json_out_key(out, "gpu");
		json_out_open(out, '{');
		json_out_member_c(out, "id", pod->gpu->id);
		json_out_member_int(out, "count", pod->gpu_count);
		json_out_close(out, '}');
		return;
	}
	json_out_key(out, "cpu");
	json_out_open(out, '{');
	json_out_member(out, "id", pod->cpu_id);
	json_out_member_int(out, "vcpuCount", pod->vcpu);
	json_out_member_int(out, "memory", pod->memory_gb);
	json_out_close(out, '}');
}

static void
put_place(struct json_out *out, const struct model_pod *pod,
    enum model_status status)
{
	bool stopped = status == MODEL_EXITED || status == MODEL_TERMINATED;

	json_out_member_c(out, "cloud", pod->community ? "COMMUNITY"
	    : "SECURE");
	json_out_member_c(out, "dataCenterId", pod->place->id);
	json_out_member_or_null(out, "cudaVersion", pod->cuda);
	json_out_key(out, "template");
	json_out_null(out);
	json_out_member_usd(out, "cost", stopped ? 0 : pod->compute_rate);
	json_out_member_bool(out, "locked", pod->locked);
	json_out_key(out, "globalNetworking");
	json_out_open(out, '{');
	json_out_member_bool(out, "enabled", pod->internal_ip.len > 0);
	if (pod->internal_ip.len > 0) {
		json_out_member(out, "ip", pod->internal_ip);
		json_out_key(out, "internalDns");
		json_out_begin_str(out);
		json_out_piece(out, pod->id);
		json_out_piece(out, STR(".runpod.internal"));
		json_out_end_str(out);
	}
	json_out_close(out, '}');
}

void
rest_put_pod(struct json_out *out, struct model *model,
    const struct model_pod *pod, struct pod_view view)
{
	enum model_status status = shown_status(model, pod, view.stale_ms);
	bool mapped = model_ports_mapped(pod, model->now_ms);
	uint64_t odd = view.odd ? model_random_below(&model->fault_rng, 6) : 9;

	json_out_open(out, '{');
	json_out_member(out, "id", pod->id);
	json_out_member(out, "name", pod->name);
	json_out_member_c(out, "status", odd == 0 ? "MIGRATING"
	    : model_status_word(status));
	put_actions(out, status);
	put_container(out, pod);
	if (odd != 1)		/* optional for a client that takes care */
		put_compute(out, pod);
	put_place(out, pod, status);
	put_ssh(out, pod, status, mapped && odd != 2);
	json_out_key(out, "runtime");
	if (pod->status == MODEL_RUNNING && pod->up_ms >= 0 && odd != 2)
		put_runtime(out, model, pod, mapped);
	else
		json_out_null(out);
	json_out_member(out, "createdAt", pod->created_at);
	if (odd != 3)
		json_out_member_or_null(out, "startedAt", pod->started_at);
	if (odd <= 4) {
		json_out_member_c(out, "hypervisor", "new in this release");
		json_out_member_int(out, "generation", 3);
	}
	json_out_close(out, '}');
}
