// The program kit: what surrounds training in the samples. Options, the session, reports.
#pragma once

// IWYU pragma: begin_exports
#include "amphora/amphora.h"
#include "amphora/app/accuracy.h"
#include "amphora/app/command_line.h"
#include "amphora/app/evaluation.h"
#include "amphora/app/recipe.h"
#include "amphora/app/run_main.h"
#include "amphora/app/sample.h"
#include "amphora/app/session.h"
#include "amphora/app/training_options.h"
// IWYU pragma: end_exports
