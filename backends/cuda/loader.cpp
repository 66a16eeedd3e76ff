#include "backends/cuda/loader.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <string_view>

#include <dlfcn.h>

#include "amphora/core/error.h"
#include "amphora/kernel/functions.h"
#include "amphora/kernel/validate.h"
#include "backends/cuda/module.h"

namespace amphora::cuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "libamphora_cuda.so";
// Where this build installs the module, and where it leaves it: programs outside of the build's folder find it there.
constexpr const char* kInstalled = AMPHORA_INSTALLED_LIBRARIES;
constexpr const char* kBuilt = AMPHORA_BUILT_LIBRARIES;

std::string last_loader_error() {
  const char* text = dlerror();
  return text == nullptr ? "no reason was given" : text;
}

template <class Function>
Function find(void* library, const char* symbol, const std::string& path) {
  void* address = dlsym(library, symbol);
  require(address != nullptr, "{} is no CUDA module of amphora: it has no {}", path, symbol);
  return reinterpret_cast<Function>(address);
}

const Backend& load(const std::string& path) {
  require(fs::exists(path), "the CUDA module {} does not exist", path);
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  require(
      library != nullptr,
      "the CUDA module cannot be loaded: {}. It needs the libraries of CUDA 13 (libcublasLt.so.13); add their folder "
      "to LD_LIBRARY_PATH",
      last_loader_error());
  const std::string version = find<const char* (*)()>(library, kVersionSymbol, path)();
  require(version == AMPHORA_MODULE_VERSION,
          "the CUDA module {} is of another build: it is {}, the program is {}. Build both together: ./run build", path,
          version, AMPHORA_MODULE_VERSION);
  return *find<const Backend* (*)()>(library, kModuleSymbol, path)();
}

// The folder of the running program, also where another C library's loader started it.
fs::path program_folder() {
  std::error_code error;
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&program_folder), &info) != 0 && info.dli_fname != nullptr) {
    const std::string_view name = info.dli_fname;
    const fs::path program = fs::canonical(name, error);
    if (!error && name.find('/') != std::string_view::npos) return program.parent_path();
  }
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

bool names_a_module() { return std::getenv("AMPHORA_CUDA_MODULE") != nullptr; }

std::string no_module(const std::vector<std::string>& paths) {
  if (names_a_module()) return fmt::format("no module at AMPHORA_CUDA_MODULE={}", paths.front());
  return fmt::format(
      "its module is not there (looked for {}): it is built where the CUDA Toolkit is, and AMPHORA_CUDA_MODULE can "
      "name one; see docs/cuda.md",
      fmt::join(paths, ", "));
}

const Backend& module_of_this_machine() {
  const std::vector<std::string> paths = module_paths();
  for (const std::string& path : paths) {
    if (fs::exists(path)) return load_module(path);
  }
  fail("{}", no_module(paths));
}

// The reason that can be told without loading the module; empty: none.
std::string reason_without_loading() {
  const std::vector<std::string> paths = module_paths();
  if (std::ranges::none_of(paths, [](const std::string& path) { return fs::exists(path); })) return no_module(paths);
  // A module that was named may need no driver.
  if (names_a_module()) return {};
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) return "no NVIDIA driver (libcuda.so.1 is not there)";
  dlclose(driver);
  return {};
}

}  // namespace

const Backend& load_module(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, const Backend*> loaded;
  const std::lock_guard lock(mutex);
  const Backend*& module = loaded[path];
  if (module == nullptr) module = &load(path);
  return *module;
}

std::vector<std::string> module_paths() {
  if (const char* named = std::getenv("AMPHORA_CUDA_MODULE")) return {named};
  static const fs::path folder = program_folder();  // before the working folder changes
  std::vector<std::string> paths;
  for (const fs::path& place : {folder.parent_path() / "lib", folder, fs::path(kInstalled), fs::path(kBuilt)}) {
    const std::string path = (place / kFileName).string();
    if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
  }
  return paths;
}

BackendStatus status() {
  const std::string reason = reason_without_loading();
  if (!reason.empty()) return {false, reason};
  try {
    return module_of_this_machine().status();
  } catch (const std::exception& error) {
    return {false, error.what()};
  }
}

std::shared_ptr<Device> open(const DeviceOptions& options) { return module_of_this_machine().open(options); }

// The module has a launcher for every kernel that the row promises, or it would not link.
Support supports(KernelId kernel, const Spec& spec) {
  const std::string reason = reason_against(kernel, spec, false);
  if (!reason.empty()) return {false, reason};
  const bool f32 = spec.types[0] == DType::f32 && (spec.flags & kMatmulTf32) == 0;
  return {true, kernel == KernelId::matmul && !f32 ? "Tensor Cores" : ""};
}

std::vector<DeviceReport> devices() { return module_of_this_machine().devices(); }

}  // namespace amphora::cuda
