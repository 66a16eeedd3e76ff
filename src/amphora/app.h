// The program kit: what surrounds training in the samples. Options, the session, reports.
#pragma once

// IWYU pragma: begin_exports
#include "amphora/amphora.h"
#include "amphora/app/accuracy.h"
#include "amphora/app/from_options.h"
#include "amphora/app/options.h"
#include "amphora/app/run_main.h"
#include "amphora/app/session.h"
// IWYU pragma: end_exports
