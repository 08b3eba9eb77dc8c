/* runpod.c - see runpod.h */
#include "cloud/runpod/runpod.h"

#include <string.h>

#include "cloud/runpod/decode.h"
#include "cloud/runpod/encode.h"

const struct cloud runpod = {
	.name = "runpod",
	.encode = encode_request,
	.decode = decode_answer,
};

static const struct runpod_injected injected[] = {
	{ "RUNPOD_", true, false, "identity, key and addresses of the pod" },
	{ "PUBLIC_KEY", false, true,
	  "ssh keys, from the account or given at the create; frozen there" },
	{ "JUPYTER_PASSWORD", false, true, "made up for startJupyter" },
	{ "CUDA_VERSION", false, false, "set by the image" },
	{ "PYTORCH_VERSION", false, false, "set by the image" },
};

const struct runpod_injected *
runpod_injected_env(size_t *n)
{
	*n = COUNTOF(injected);
	return injected;
}

const struct runpod_injected *
runpod_injected_find(struct str name)
{
	for (size_t i = 0; i < COUNTOF(injected); i++) {
		struct str row = str_from(injected[i].name);
		if (injected[i].prefix ? str_starts(name, row) :
		    str_eq(name, row))
			return &injected[i];
	}
	return NULL;
}
