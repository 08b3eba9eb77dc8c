/* http.c - see seams.h */
#include "base/seams.h"

const char *
http_method_name(enum http_method method)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
		[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
		[HTTP_LOCK] = "LOCK", [HTTP_UNLOCK] = "UNLOCK",
	};

	return names[method];
}
