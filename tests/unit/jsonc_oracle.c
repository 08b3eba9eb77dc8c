/* jsonc_oracle.c - see jsonc_oracle.h */
#include "tests/unit/jsonc_oracle.h"

#include <json-c/json.h>

bool
jsonc_accepts(struct str text, struct strbuf *out)
{
	struct json_tokener *tokener = json_tokener_new_ex(64);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
		JSON_TOKENER_VALIDATE_UTF8);
	/* With the NUL that follows, so that a number at the end is over. */
	struct json_object *root = json_tokener_parse_ex(tokener, text.data,
	    (int)text.len + 1);
	bool ok = json_tokener_get_error(tokener) == json_tokener_success;
	if (ok)
		strbuf_adds(out, json_object_to_json_string_ext(root,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
	json_tokener_free(tokener);
	return ok;
}
