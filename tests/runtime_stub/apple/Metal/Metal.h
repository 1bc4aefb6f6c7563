// As much of Apple's Foundation and Metal as the Metal host names, written from their documentation, so that
// the host's own code can be checked where there is no SDK. It says nothing about how Metal behaves.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifndef TARGET_OS_OSX
#define TARGET_OS_OSX 1
#endif
#define nil __null
typedef unsigned long NSUInteger;
typedef signed char BOOL;
typedef double CFTimeInterval;

__attribute__((objc_root_class)) @interface NSObject
+ (instancetype)new;
@end
@interface NSString : NSObject
@property(readonly) const char* UTF8String;
+ (instancetype)stringWithUTF8String:(const char*)text;
@end
@interface NSError : NSObject
@property(readonly) NSString* localizedDescription;
@end
typedef struct {
  unsigned long state;
  __unsafe_unretained id* itemsPtr;
  unsigned long* mutationsPtr;
  unsigned long extra[5];
} NSFastEnumerationState;
@interface NSArray<Item> : NSObject
@property(readonly) NSUInteger count;
- (Item)objectAtIndexedSubscript:(NSUInteger)at;
+ (instancetype)arrayWithObjects:(const Item[])objects count:(NSUInteger)count;
- (NSUInteger)countByEnumeratingWithState:(NSFastEnumerationState*)state
                                  objects:(__unsafe_unretained id[])room
                                    count:(NSUInteger)count;
@end
typedef struct {
  NSUInteger location, length;
} NSRange;
static inline NSRange NSMakeRange(NSUInteger location, NSUInteger length) {
  return {location, length};
}
@interface NSProcessInfo : NSObject
@property(class, readonly) NSProcessInfo* processInfo;
@property(readonly) unsigned long long physicalMemory;
@end
@protocol OS_dispatch_data
@end
typedef id<OS_dispatch_data> dispatch_data_t;
extern "C" dispatch_data_t dispatch_data_create(const void* data, size_t size, id queue,
                                                void (^destructor)(void));

typedef struct {
  NSUInteger width, height, depth;
} MTLSize;
static inline MTLSize MTLSizeMake(NSUInteger width, NSUInteger height, NSUInteger depth) {
  return {width, height, depth};
}
enum MTLGPUFamily { MTLGPUFamilyApple7 = 1007, MTLGPUFamilyMac2 = 2002 };
enum MTLResourceOptions { MTLResourceStorageModeShared = 0, MTLResourceStorageModePrivate = 32 };
enum MTLDispatchType { MTLDispatchTypeSerial, MTLDispatchTypeConcurrent };
enum MTLBarrierScope { MTLBarrierScopeBuffers = 1 };
enum MTLDataType { MTLDataTypeUInt = 33 };
enum MTLCommandBufferStatus { MTLCommandBufferStatusCompleted = 4, MTLCommandBufferStatusError = 5 };

@protocol MTLBuffer
@property(readonly) NSUInteger length;
- (void*)contents;
@end
@protocol MTLFunction
@end
@protocol MTLComputePipelineState
@property(readonly) NSUInteger maxTotalThreadsPerThreadgroup;
@end
@protocol MTLBlitCommandEncoder
- (void)fillBuffer:(id<MTLBuffer>)buffer range:(NSRange)range value:(uint8_t)value;
- (void)copyFromBuffer:(id<MTLBuffer>)source
          sourceOffset:(NSUInteger)from
              toBuffer:(id<MTLBuffer>)target
     destinationOffset:(NSUInteger)to
                  size:(NSUInteger)size;
- (void)endEncoding;
@end
@protocol MTLComputeCommandEncoder
- (void)setComputePipelineState:(id<MTLComputePipelineState>)state;
- (void)setBytes:(const void*)bytes length:(NSUInteger)length atIndex:(NSUInteger)at;
- (void)setBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)at;
- (void)memoryBarrierWithScope:(MTLBarrierScope)scope;
- (void)dispatchThreadgroups:(MTLSize)groups threadsPerThreadgroup:(MTLSize)threads;
- (void)endEncoding;
@end
@protocol MTLCommandBuffer
@property(readonly) MTLCommandBufferStatus status;
@property(readonly) NSError* error;
@property(readonly) CFTimeInterval GPUStartTime;
@property(readonly) CFTimeInterval GPUEndTime;
- (id<MTLComputeCommandEncoder>)computeCommandEncoder;
- (id<MTLComputeCommandEncoder>)computeCommandEncoderWithDispatchType:(MTLDispatchType)type;
- (id<MTLBlitCommandEncoder>)blitCommandEncoder;
- (void)commit;
- (void)waitUntilCompleted;
@end
@protocol MTLCommandQueue
- (id<MTLCommandBuffer>)commandBuffer;
@end
@interface MTLFunctionConstantValues : NSObject
- (void)setConstantValue:(const void*)value type:(MTLDataType)type atIndex:(NSUInteger)at;
@end
@protocol MTLLibrary
- (id<MTLFunction>)newFunctionWithName:(NSString*)name
                        constantValues:(MTLFunctionConstantValues*)values
                                 error:(NSError**)error;
@end
@protocol MTLDevice
@property(readonly) NSString* name;
@property(readonly) NSUInteger maxBufferLength;
@property(readonly) uint64_t recommendedMaxWorkingSetSize;
@property(readonly) BOOL hasUnifiedMemory;
- (BOOL)supportsFamily:(MTLGPUFamily)family;
- (id<MTLCommandQueue>)newCommandQueue;
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options;
- (id<MTLBuffer>)newBufferWithBytesNoCopy:(void*)bytes
                                   length:(NSUInteger)length
                                  options:(MTLResourceOptions)options
                              deallocator:(void (^)(void*, NSUInteger))deallocator;
- (id<MTLLibrary>)newLibraryWithData:(dispatch_data_t)data error:(NSError**)error;
- (id<MTLComputePipelineState>)newComputePipelineStateWithFunction:(id<MTLFunction>)function
                                                             error:(NSError**)error;
@end
extern "C" NSArray<id<MTLDevice>>* MTLCopyAllDevices(void);
extern "C" id<MTLDevice> MTLCreateSystemDefaultDevice(void);
