// A module of another build, which the program must refuse.
extern "C" {

[[gnu::visibility("default")]] const char* amphora_cuda_version() { return "0.0.0-stale"; }
[[gnu::visibility("default")]] const void* amphora_cuda_module() { return nullptr; }

}  // extern "C"
