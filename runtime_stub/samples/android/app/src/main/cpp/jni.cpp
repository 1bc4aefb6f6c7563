// What Generator.java calls. A handle is the address of a Generator; errors become IllegalStateException.
#include <jni.h>

#include <string>
#include <vector>

#include "generator.h"

namespace {

std::string text_of(JNIEnv* env, jstring text) {
  const char* chars = env->GetStringUTFChars(text, nullptr);
  if (chars == nullptr) return {};  // an exception is pending
  std::string out(chars);
  env->ReleaseStringUTFChars(text, chars);
  return out;
}

std::vector<int64_t> ids_of(JNIEnv* env, jlongArray ids) {
  std::vector<int64_t> out(static_cast<size_t>(env->GetArrayLength(ids)));
  static_assert(sizeof(jlong) == sizeof(int64_t), "a jlong has 64 bits");
  env->GetLongArrayRegion(ids, 0, static_cast<jsize>(out.size()), reinterpret_cast<jlong*>(out.data()));
  return out;
}

void fail(JNIEnv* env, const std::string& why) {
  const jclass kind = env->FindClass("java/lang/IllegalStateException");
  if (kind != nullptr) env->ThrowNew(kind, why.c_str());
}

sample::Generator* generator_of(jlong handle) { return reinterpret_cast<sample::Generator*>(handle); }

}  // namespace

extern "C" JNIEXPORT jlong JNICALL Java_dev_optimumcompile_sample_Generator_open(JNIEnv* env, jclass,
                                                                                jstring path,
                                                                                jstring device) {
  std::string error;
  auto made = sample::Generator::open(text_of(env, path), text_of(env, device), &error);
  if (!made) fail(env, error);
  return reinterpret_cast<jlong>(made.release());
}

extern "C" JNIEXPORT void JNICALL Java_dev_optimumcompile_sample_Generator_close(JNIEnv*, jclass,
                                                                                jlong handle) {
  delete generator_of(handle);
}

extern "C" JNIEXPORT jstring JNICALL Java_dev_optimumcompile_sample_Generator_device(JNIEnv* env, jclass,
                                                                                    jlong handle) {
  return env->NewStringUTF(generator_of(handle)->device().c_str());
}

extern "C" JNIEXPORT jdouble JNICALL Java_dev_optimumcompile_sample_Generator_speed(JNIEnv*, jclass,
                                                                                   jlong handle) {
  return generator_of(handle)->speed();
}

extern "C" JNIEXPORT void JNICALL Java_dev_optimumcompile_sample_Generator_generate(
    JNIEnv* env, jclass, jlong handle, jlongArray prompt, jlong most, jlongArray stops, jobject listener) {
  const jclass kind = env->GetObjectClass(listener);
  const jmethodID accept = env->GetMethodID(kind, "onToken", "(J)Z");
  if (accept == nullptr) return;  // NoSuchMethodError is pending
  sample::Generator* generator = generator_of(handle);
  const bool done =
      generator->generate(ids_of(env, prompt), most, ids_of(env, stops), [&](int64_t token) {
        const jboolean more = env->CallBooleanMethod(listener, accept, static_cast<jlong>(token));
        return more == JNI_TRUE && !env->ExceptionCheck();
      });
  if (!done && !env->ExceptionCheck()) fail(env, generator->error());
}
