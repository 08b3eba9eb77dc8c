/*
 * curl_dl.h - libcurl, loaded when the first request needs it.
 *
 * Linking it would cost every command the start of thirty-three shared
 * objects, among them those that never speak to a network.  Only the
 * functions below are used; the header <curl/curl.h> gives their constants.
 */
#ifndef IO_CURL_DL_H
#define IO_CURL_DL_H

#include <curl/curl.h>

#include "base/str.h"

struct curl_dl {
	void *library;
	CURLcode (*global_init_mem)(long flags, curl_malloc_callback,
	    curl_free_callback, curl_realloc_callback, curl_strdup_callback,
	    curl_calloc_callback);
	void (*global_cleanup)(void);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *easy);
	void (*easy_reset)(CURL *easy);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
	const char *(*easy_strerror)(CURLcode code);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_cleanup)(CURLM *multi);
	CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
	CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t socket,
	    int events, int *running);
	CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t socket,
	    void *data);
	CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
	struct curl_slist *(*slist_append)(struct curl_slist *list,
	    const char *text);
	void (*slist_free_all)(struct curl_slist *list);
	CURLSH *(*share_init)(void);
	CURLSHcode (*share_setopt)(CURLSH *share, CURLSHoption option, ...);
	CURLSHcode (*share_cleanup)(CURLSH *share);
};

/*
 * Load and initialise; false with a sentence (static text) in *why.  libcurl
 * allocates by functions of ours that end the program where there is no
 * memory (fail_out_of_memory()): by itself it would lose a transfer, so that
 * its answer never came, or divide by the zero size of a hash that it could
 * not make (both measured, 7.88.1).
 */
bool curl_dl_load(struct curl_dl *curl, const char **why);

/* Undo curl_dl_load(); harmless on the zero value. */
void curl_dl_release(struct curl_dl *curl);

#endif
