// Labelled images in host memory: Fashion-MNIST, or synthetic ones where no data is at hand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "amphora/core/shape.h"

namespace amphora::data {

struct ImageSet {
  Shape image_shape;                 // [28, 28]
  std::vector<std::uint8_t> pixels;  // image after image
  std::vector<std::int32_t> labels;  // one an image

  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

struct Split {
  ImageSet train;
  ImageSet test;
};

// What is subtracted from, and divided out of, pixels in [0, 1].
struct Normalization {
  float mean = 0.0f;
  float deviation = 1.0f;
};
Normalization normalization_of(const ImageSet& set);

inline constexpr int kFashionClasses = 10;

// Where the data lies unless told otherwise: the environment variable AMPHORA_DATA, or else the folder of Debian's
// package dataset-fashion-mnist.
std::filesystem::path default_folder();

// Reads the four files of MNIST's naming, gzipped or not; an empty `folder` means default_folder(). Throws Error when
// one is missing or bad, there is no image, images and labels differ in number, or a label is out of range.
Split load_fashion_mnist(const std::filesystem::path& folder = {});

// Random images of Fashion-MNIST's shape, each marked by a bright patch that tells its label, so that there is
// something to learn. The same arguments give the same bytes.
ImageSet synthetic_images(std::int64_t count, std::uint64_t seed);

}  // namespace amphora::data
