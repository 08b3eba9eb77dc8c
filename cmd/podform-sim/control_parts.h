/* control_parts.h - what the files of the control door share. */
#ifndef SIM_CONTROL_PARTS_H
#define SIM_CONTROL_PARTS_H

#include <json-c/json.h>

#include "control.h"

struct control {
	struct sim *sim;
	struct arena *arena;
	const struct model_request *request;
	struct model_reply *reply;
	struct json_object *body;	/* NULL when there is none */
	struct str rest;		/* of the path, after the route */
};

void control_ok(struct control *control);
void control_bad(struct control *control, int status, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* Members of an object; absent, `otherwise` or NULL when missing. */
struct str control_str(struct json_object *object, const char *key);
int64_t control_int(struct json_object *object, const char *key,
    int64_t otherwise);
bool control_bool(struct json_object *object, const char *key,
    bool otherwise);
struct json_object *control_get(struct json_object *object, const char *key);
/* A number of dollars; false when missing or not one. */
bool control_usd(struct json_object *object, const char *key, int64_t *out);

/* control_faults.c */
/* 0 to 1, as per mille; through text, never through a float. */
bool control_chance(struct json_object *value, uint16_t *per_mille);
/* "cut" and the like; without a word it is answered. */
bool control_transport(struct str word, enum model_transport *transport);
void control_faults(struct control *control);
void control_script(struct control *control);
/* control_preload.c */
void control_preload_pods(struct control *control);

#endif
