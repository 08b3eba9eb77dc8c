/* keys_login.c - what we sign: see keys_is_login() in keys_parts.h */
#include "ssh/blob.h"
#include "ssh/keys_parts.h"

bool
keys_is_login(struct str data, struct str user, struct str blob)
{
	enum { USERAUTH_REQUEST = 50, SESSION_MIN = 20, SESSION_MAX = 64 };
	struct blob in = { .left = data };

	struct str session = blob_string(&in);
	uint8_t message = blob_u8(&in);
	struct str name = blob_string(&in);
	struct str service = blob_string(&in);
	struct str method = blob_string(&in);
	uint8_t has_signature = blob_u8(&in);
	struct str algorithm = blob_string(&in);
	struct str key = blob_string(&in);

	return blob_at_end(&in) && session.len >= SESSION_MIN &&
	    session.len <= SESSION_MAX && message == USERAUTH_REQUEST &&
	    str_eq(name, user) && str_is(service, "ssh-connection") &&
	    str_is(method, "publickey") && has_signature == 1 &&
	    str_eq(algorithm, blob_key_type(blob)) && str_eq(key, blob);
}
