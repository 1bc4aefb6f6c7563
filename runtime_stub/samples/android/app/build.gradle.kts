plugins { id("com.android.application") }

android {
  namespace = "dev.optimumcompile.sample"
  compileSdk = 35
  ndkVersion = "27.2.12479018"

  defaultConfig {
    applicationId = "dev.optimumcompile.sample"
    minSdk = 26
    targetSdk = 35
    versionCode = 1
    versionName = "1.0"
    ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
    externalNativeBuild { cmake { arguments += "-DANDROID_STL=c++_static" } }
  }
  // An optimised runtime in debug builds too: the kernels are unusable without.
  buildTypes { debug { externalNativeBuild { cmake { arguments += "-DCMAKE_BUILD_TYPE=Release" } } } }
  externalNativeBuild { cmake { path = file("src/main/cpp/CMakeLists.txt") } }
  // The model is copied out of the package once; packing it would only cost time.
  androidResources { noCompress += "ocm" }
  compileOptions {
    sourceCompatibility = JavaVersion.VERSION_17
    targetCompatibility = JavaVersion.VERSION_17
  }
}
