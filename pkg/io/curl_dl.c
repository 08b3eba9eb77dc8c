/* curl_dl.c - see curl_dl.h */
#include "io/curl_dl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define SYMBOL(name) { "curl_" #name, offsetof(struct curl_dl, name) }

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	SYMBOL(global_init_mem), SYMBOL(global_cleanup),
	SYMBOL(easy_init), SYMBOL(easy_cleanup), SYMBOL(easy_reset),
	SYMBOL(easy_setopt), SYMBOL(easy_getinfo), SYMBOL(easy_strerror),
	SYMBOL(multi_init), SYMBOL(multi_cleanup), SYMBOL(multi_setopt),
	SYMBOL(multi_add_handle), SYMBOL(multi_remove_handle),
	SYMBOL(multi_socket_action), SYMBOL(multi_assign),
	SYMBOL(multi_info_read), SYMBOL(slist_append), SYMBOL(slist_free_all),
	SYMBOL(share_init), SYMBOL(share_setopt), SYMBOL(share_cleanup),
};

/* ------------------------------------------------------------- memory ---- */

static void *
given(void *memory)
{
	if (memory == NULL)
		fail_out_of_memory();
	return memory;
}

/* Nothing asked for may be NULL without a failure. */
static void *
give_malloc(size_t size)
{
	return given(malloc(size > 0 ? size : 1));
}

static void *
give_calloc(size_t n, size_t size)
{
	return given(n > 0 && size > 0 ? calloc(n, size) : calloc(1, 1));
}

static void *
give_realloc(void *old, size_t size)
{
	return given(realloc(old, size > 0 ? size : 1));
}

static char *
give_strdup(const char *text)
{
	return given(strdup(text));
}

/* ------------------------------------------------------------ loading ---- */

bool
curl_dl_load(struct curl_dl *curl, const char **why)
{
	*curl = (struct curl_dl){0};
	/* Lazily: of the thousands of functions that its thirty libraries
	 * could call, a request calls few, and to look up all of them takes
	 * longer than the rest of the start. */
	curl->library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
	if (curl->library == NULL) {
		*why = "cannot load libcurl.so.4: install the package "
		       "libcurl4";
		return false;
	}
	for (size_t i = 0; i < COUNTOF(symbols); i++) {
		/* Copied as bytes: ISO C has no cast from an object pointer
		 * to a function pointer. */
		void *symbol = dlsym(curl->library, symbols[i].name);
		if (symbol == NULL) {
			*why = "libcurl.so.4 lacks a function that podform "
			       "needs: version 7.85 or later is needed";
			return false;
		}
		memcpy((char *)curl + symbols[i].offset, &symbol,
		    sizeof symbol);
	}
	if (curl->global_init_mem(CURL_GLOBAL_DEFAULT, give_malloc, free,
		give_realloc, give_strdup, give_calloc) != CURLE_OK) {
		curl->global_cleanup = NULL;
		*why = "libcurl does not start";
		return false;
	}
	return true;
}

/*
 * The library stays mapped: OpenSSL leaves handlers for the end of the
 * process behind.
 */
void
curl_dl_release(struct curl_dl *curl)
{
	if (curl->global_cleanup != NULL)
		curl->global_cleanup();
	*curl = (struct curl_dl){0};
}
