/* control_faults.c - faults by chance and by script, from JSON. */
#include "control_parts.h"

#include <string.h>

#include "base/units.h"

/* Short names, for people: "create" is a pod's. */
static bool
find_call(struct str name, enum model_call *call)
{
	static const struct { const char *name; enum model_call call; }
	    names[] = {
		{ "create", MODEL_POD_CREATE }, { "list", MODEL_POD_LIST },
		{ "get", MODEL_POD_GET }, { "update", MODEL_POD_UPDATE },
		{ "start", MODEL_POD_START }, { "stop", MODEL_POD_STOP },
		{ "restart", MODEL_POD_RESTART },
		{ "delete", MODEL_POD_DELETE },
	};

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (str_is(name, names[i].name)) {
			*call = names[i].call;
			return true;
		}
	return model_call_find(name, call);
}

static bool
find_fault(struct str name, enum model_fault *fault)
{
	if (str_is(name, "after_effect"))
		name = STR("error_after");
	if (str_is(name, "before_effect"))
		name = STR("error_before");
	return model_fault_find(name, fault);
}

bool
control_chance(struct json_object *value, uint16_t *per_mille)
{
	int64_t millionths;

	if (value == NULL || !parse_usd_number(str_from(
	    json_object_get_string(value)), &millionths) ||
	    millionths < 0 || millionths > 1000000)
		return false;
	*per_mille = (uint16_t)(millionths / 1000);
	return true;
}

/* {"error_after": 0.5, ...} for one class of calls, or for all. */
static bool
read_class(struct control *control, struct model_faults *faults,
    struct str name, struct json_object *table)
{
	enum model_call from = (enum model_call)0, to, call;
	enum model_fault fault;
	uint16_t per_mille;

	to = (enum model_call)(MODEL_CALL_COUNT - 1);
	if (!str_is(name, "*")) {
		if (!find_call(name, &call)) {
			control_bad(control, 400, "unknown call '" STR_FMT
			    "'", STR_ARG(name));
			return false;
		}
		from = to = call;
	}
	json_object_object_foreach(table, key, value) {
		if (!find_fault(str_from(key), &fault) ||
		    !control_chance(value, &per_mille)) {
			control_bad(control, 400, "'%s' is not a fault with "
			    "a chance from 0 to 1", key);
			return false;
		}
		for (int c = (int)from; c <= (int)to; c++)
			faults->per_mille[c][fault] = per_mille;
	}
	return true;
}

static bool
read_limits(struct control *control, struct model_faults *faults,
    struct json_object *table)
{
	enum model_fault fault;

	json_object_object_foreach(table, key, value) {
		if (!find_fault(str_from(key), &fault)) {
			control_bad(control, 400, "unknown fault '%s'", key);
			return false;
		}
		faults->at_most[fault] = json_object_get_int64(value);
	}
	return true;
}

void
control_faults(struct control *control)
{
	struct model_faults faults = {0};
	struct json_object *body = control->body;

	if (str_is(control->request->method, "DELETE") || body == NULL) {
		model_set_faults(control->sim->model, &faults);
		control_ok(control);
		return;
	}
	if (!json_object_is_type(body, json_type_object)) {
		control_bad(control, 400, "faults are an object");
		return;
	}
	json_object_object_foreach(body, key, value) {
		bool is_table =
		    json_object_get_type(value) == json_type_object;
		if (strcmp(key, "at_most") == 0 && is_table) {
			if (!read_limits(control, &faults, value))
				return;
		} else if (strcmp(key, "delay_max_ms") == 0) {
			faults.delay_max_ms = json_object_get_int64(value);
		} else if (strcmp(key, "stale_max_ms") == 0) {
			faults.stale_max_ms = json_object_get_int64(value);
		} else if (strcmp(key, "slow_max_ms") == 0) {
			faults.slow_max_ms = json_object_get_int64(value);
		} else if (strcmp(key, "lookalikes") == 0) {
			faults.lookalikes = json_object_get_boolean(value);
		} else if (!is_table) {
			control_bad(control, 400, "'%s' is not understood",
			    key);
			return;
		} else if (!read_class(control, &faults, str_from(key),
		    value)) {
			return;
		}
	}
	model_set_faults(control->sim->model, &faults);
	control_ok(control);
}

bool
control_transport(struct str word, enum model_transport *transport)
{
	static const char *const words[] = {
		[MODEL_ANSWERED] = "answered", [MODEL_CUT] = "cut",
		[MODEL_DROPPED] = "dropped", [MODEL_SILENT] = "silent",
	};

	*transport = MODEL_ANSWERED;
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (str_is(word, words[i])) {
			*transport = (enum model_transport)i;
			return true;
		}
	return word.data == NULL;
}

static bool
read_script(struct control *control, struct json_object *object)
{
	struct model_script script = {
		.nth = control_int(object, "nth", 1),
		.fault = MODEL_FAULT_COUNT,
		.status = (int)control_int(object, "status", 0),
		.cut = (size_t)control_int(object, "cut", 0),
		.delay_ms = control_int(object, "delay_ms", 0),
		.body = control_str(object, "body"),
		.retry_after = control_str(object, "retry_after"),
	};
	struct str fault = control_str(object, "fault");

	if (!find_call(control_str(object, "call"), &script.call) ||
	    (fault.data != NULL && !find_fault(fault, &script.fault)) ||
	    !control_transport(control_str(object, "transport"),
	    &script.transport) || script.nth < 1) {
		control_bad(control, 400, "a script needs a known call, and "
		    "a known fault and transport where given");
		return false;
	}
	model_add_script(control->sim->model, &script);
	return true;
}

void
control_script(struct control *control)
{
	struct json_object *body = control->body;

	if (str_is(control->request->method, "DELETE")) {
		model_clear_scripts(control->sim->model);
	} else if (json_object_get_type(body) == json_type_array) {
		for (size_t i = 0; i < json_object_array_length(body); i++)
			if (!read_script(control,
			    json_object_array_get_idx(body, i)))
				return;
	} else if (!read_script(control, body)) {
		return;
	}
	control_ok(control);
}
