/* ports.c - ports and environment of pods: parsing, copying, mapping. */
#include "model/private.h"

bool
model_parse_port(struct str text, struct model_port *port)
{
	struct str protocol, number = str_cut(text, '/', &protocol);
	int64_t value = 0;

	if (number.len == 0 || number.len > 5 || number.data[0] == '0')
		return false;
	for (size_t i = 0; i < number.len; i++) {
		if (number.data[i] < '0' || number.data[i] > '9')
			return false;
		value = value * 10 + (number.data[i] - '0');
	}
	/* Above 70000 only as a wish: a symmetric port. */
	if (value > 65535 && value < 70000)
		return false;
	if (!str_is(protocol, "tcp") && !str_is(protocol, "http"))
		return false;
	*port = (struct model_port){
		.inside = (uint32_t)value, .tcp = str_is(protocol, "tcp"),
	};
	return true;
}

void
model_copy_ports(struct model *model, struct model_pod *pod,
    const struct str *ports, size_t n)
{
	pod->ports = ARENA_ARRAY(&model->arena, struct model_port, n);
	pod->nports = 0;
	for (size_t i = 0; i < n; i++)
		if (model_parse_port(ports[i], &pod->ports[pod->nports]))
			pod->nports++;
}

struct model_env *
model_copy_env(struct model *model, const struct model_env *env, size_t n)
{
	struct model_env *copy =
	    ARENA_ARRAY(&model->arena, struct model_env, n);

	for (size_t i = 0; i < n; i++) {
		copy[i].name = arena_str(&model->arena, env[i].name);
		copy[i].value = arena_str(&model->arena, env[i].value);
	}
	return copy;
}

static bool
taken(const struct model_pod *pod, size_t n, uint16_t outside)
{
	for (size_t i = 0; i < n; i++)
		if (pod->ports[i].outside == outside)
			return true;
	return false;
}

/* Fresh outside ports: they change with every start of a container. */
void
model_map_ports(struct model *model, struct model_pod *pod)
{
	for (size_t i = 0; i < pod->nports; i++) {
		uint16_t outside;
		do {
			outside = (uint16_t)(10000 +
			    model_random_below(&model->rng, 50000));
		} while (taken(pod, i, outside));
		pod->ports[i].outside = outside;
	}
}

bool
model_ports_mapped(const struct model_pod *pod, int64_t now_ms)
{
	return pod->status == MODEL_RUNNING && pod->ports_at_ms >= 0 &&
	    now_ms >= pod->ports_at_ms;
}

struct str
model_pod_env(const struct model_pod *pod, const char *name)
{
	for (size_t i = 0; i < pod->nenv; i++)
		if (str_is(pod->env[i].name, name))
			return pod->env[i].value;
	return (struct str){0};
}

struct str
model_pod_asked_env(const struct model_pod *pod, const char *name)
{
	for (size_t i = 0; i < pod->nasked_env; i++)
		if (str_is(pod->asked_env[i].name, name))
			return pod->asked_env[i].value;
	return (struct str){0};
}
