#include "view.h"

#include <atomic>
#include <utility>

#include "thread_end.h"
#include "transfer.h"
#include "values.h"

namespace node_numa {

namespace {

/** A view's addresses count as this part of its bytes, so that many of them are no free lunch. */
constexpr int64_t kAddressDivisor = 1024;

/** More than any limit of the engine: it collects garbage at once. */
constexpr int64_t kAllMemory = int64_t{1} << 40;

/** Views whose store was taken by a script of a thread that has ended: nobody tells their end. */
std::atomic<View*> taken_for_good{nullptr};

void Charge(napi_env env, int64_t bytes) {
  int64_t total = 0;
  Unneeded(napi_adjust_external_memory(env, bytes, &total));
}

void CollectGarbage(napi_env env) {
  Charge(env, kAllMemory);
  Charge(env, -kAllMemory);
}

}  // namespace

/** The views of a thread, in a ring; an environment's end may come before that of its views. */
struct ViewsOfThread {
  napi_env env;
  View* first = nullptr;
  bool has_ended = false;
  // From then on Node calls the finalizers of stores that are not freed, too.
  bool is_taken_apart = false;
  // ArrayBuffer.prototype.transfer as it was at the start; none on Node 20.
  napi_ref transfer = nullptr;
};

struct View {
  MappingShare memory;
  AddressShare addresses;
  size_t length_bytes;
  // Weak.
  napi_ref object = nullptr;
  ViewsOfThread* thread = nullptr;
  View* next = nullptr;
  View* previous = nullptr;
  // What the engine was told of the addresses.
  int64_t charged_bytes = 0;
  bool is_store_freed = false;
  bool is_object_collected = false;
  bool is_taken = false;
  // Its object was collected before the thread ended: a script may have taken the store from it.
  bool may_be_taken = false;
  // Found at release: a script has the store, though the object may be collected.
  bool is_with_script = false;
  // The creator, the store's finalizer and the object's.
  int reference_count = 2;

  void Link(ViewsOfThread* views) {
    thread = views;
    next = views->first;
    if (next != nullptr) next->previous = this;
    views->first = this;
  }

  void Unlink() {
    if (thread == nullptr) return;
    if (next != nullptr) next->previous = previous;
    (previous == nullptr ? thread->first : previous->next) = next;
    thread = nullptr;
  }

  bool HoldsAddressesOnly() const { return is_store_freed && addresses != nullptr; }

  // The engine may free the store before the object is collected, or after.
  void DropAddressesIfOver() {
    if (is_object_collected && is_store_freed) addresses.reset();
  }

  void Unreference() {
    if (--reference_count > 0) return;
    Unlink();
    delete this;
  }
};

namespace {

ViewsOfThread* ViewsOf(napi_env env) {
  void* data = nullptr;
  if (napi_get_instance_data(env, &data) != napi_ok) return nullptr;
  return static_cast<ViewsOfThread*>(data);
}

void OnTakenApart(void* data) {
  static_cast<ViewsOfThread*>(data)->is_taken_apart = true;
}

// Node will detach each ArrayBuffer that there still is, and call its store's finalizer whether or
// not the store is freed by that. One that a script has taken lives on, perhaps in another thread.
// What was collected may have been taken as well, unless its store is freed by the garbage
// collection that is asked for here: memory that somebody may use is never given back.
void OnThreadEnd(void* data) {
  ViewsOfThread* const views = static_cast<ViewsOfThread*>(data);
  views->has_ended = true;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(views->env, &scope) != napi_ok) return;
  bool is_any_uncertain = false;
  for (View* view = views->first; view != nullptr; view = view->next) {
    if (view->memory == nullptr || view->is_store_freed) continue;
    const napi_value object = ArrayBufferOf(views->env, *view);
    view->is_taken = object != nullptr && IsDetached(views->env, object);
    view->may_be_taken = object == nullptr;
    is_any_uncertain = is_any_uncertain || view->may_be_taken;
  }
  // The second waits for what the first has left to a thread of the engine's.
  for (int time = 0; is_any_uncertain && time < 2; time += 1) CollectGarbage(views->env);
  Unneeded(napi_close_handle_scope(views->env, scope));
}

void FreeViewsOfThread(napi_env env, void* data, void* /*hint*/) {
  ViewsOfThread* const views = static_cast<ViewsOfThread*>(data);
  if (views->transfer != nullptr) Unneeded(napi_delete_reference(env, views->transfer));
  while (views->first != nullptr) views->first->Unlink();
  delete views;
}

// A script had the store: operations may be pending on objects of its own, and nobody tells their
// end. After the thread's end it is Node that detaches, not scripts.
bool WasTaken(napi_env env, const View& view) {
  if (view.memory == nullptr || view.thread == nullptr || view.thread->has_ended) return false;
  if (view.is_with_script) return true;
  const napi_value object = ArrayBufferOf(env, view);
  return object != nullptr && IsDetached(env, object);
}

// On the thread of the isolate, like the creator, a turn after the store was freed.
void FinalizeStore(napi_env env, void* /*data*/, void* hint) {
  View* const view = static_cast<View*>(hint);
  if (view->may_be_taken) {
    view->is_taken = view->thread == nullptr || view->thread->is_taken_apart;
  }
  if (view->is_taken || WasTaken(env, *view)) {
    // The memory is given back, the addresses are kept for good.
    if (!view->is_taken) view->memory.reset();
    view->Unlink();
    view->next = taken_for_good.load();
    while (!taken_for_good.compare_exchange_weak(view->next, view)) {
    }
    return;
  }
  view->is_store_freed = true;
  view->memory.reset();
  view->DropAddressesIfOver();
  view->Unreference();
}

// A turn after the object was collected, or at the thread's end: Node has waited for the pending
// operations of a thread by then.
void FinalizeObject(napi_env env, void* data, void* /*hint*/) {
  View* const view = static_cast<View*>(data);
  Charge(env, -view->charged_bytes);
  Unneeded(napi_delete_reference(env, view->object));
  view->object = nullptr;
  view->is_object_collected = true;
  view->DropAddressesIfOver();
  view->Unreference();
}

bool WatchObject(napi_env env, napi_value object, View* view) {
  if (napi_create_reference(env, object, 0, &view->object) != napi_ok) {
    view->object = nullptr;
    return false;
  }
  if (napi_add_finalizer(env, object, view, FinalizeObject, nullptr, nullptr) != napi_ok) {
    Unneeded(napi_delete_reference(env, view->object));
    view->object = nullptr;
    return false;
  }
  view->reference_count += 1;
  return true;
}

}  // namespace

bool PrepareViews(napi_env env) {
  ViewsOfThread* const views = new ViewsOfThread{env};
  if (napi_set_instance_data(env, views, FreeViewsOfThread, nullptr) != napi_ok) {
    delete views;
    return false;
  }
  views->transfer = FindTransfer(env);
  return WatchThreadEnd(env, {OnThreadEnd, OnTakenApart}, views);
}

SyscallResult NewView(napi_env env, const MappingShare& mapping, const Store& store,
                      const char* syscall, View** made, napi_value* array_buffer) {
  ViewsOfThread* const views = ViewsOf(env);
  if (views == nullptr) return SyscallResult::Failed(ENOMEM, syscall);
  View* const view = new View{mapping, mapping->addresses, store.length_bytes};
  // SAFETY: when this fails, the engine may have run the finalizer, may run it later, or never,
  // depending on its version; the view waits for it, with nothing in its hands.
  const napi_status status = napi_create_external_arraybuffer(env, store.data, store.length_bytes,
                                                              FinalizeStore, view, array_buffer);
  if (status == napi_ok) *array_buffer = Ordinary(env, views->transfer, *array_buffer, store);
  if (status == napi_ok && WatchObject(env, *array_buffer, view)) {
    view->Link(views);
    *made = view;
    return SyscallResult::Capture(0, syscall);
  }
  if (status == napi_ok) Detach(env, views->transfer, *array_buffer);
  view->memory.reset();
  view->addresses.reset();
  view->Unreference();
  if (status == napi_ok) return SyscallResult::Failed(ENOMEM, syscall);
  if (status == napi_no_external_buffers_allowed) return SyscallResult::Failed(ENOTSUP, syscall);
  // The engine throws for a length above its limit.
  napi_value exception = nullptr;
  Unneeded(napi_get_and_clear_last_exception(env, &exception));
  return SyscallResult::Failed(EOVERFLOW, syscall);
}

napi_value ArrayBufferOf(napi_env env, const View& view) {
  napi_value object = nullptr;
  if (view.object == nullptr || napi_get_reference_value(env, view.object, &object) != napi_ok) {
    return nullptr;
  }
  return object;
}

void DetachView(napi_env env, View* view) {
  const napi_value object = ArrayBufferOf(env, *view);
  const bool is_detached = object == nullptr || IsDetached(env, object);
  view->is_with_script = is_detached && !view->is_store_freed;
  if (is_detached || view->memory == nullptr) return;
  // Taken out first: a function in the place of the engine's may come back here.
  const MappingShare memory = std::move(view->memory);
  if (view->thread != nullptr) Detach(env, view->thread->transfer, object);
  view->charged_bytes = static_cast<int64_t>(view->length_bytes) / kAddressDivisor;
  Charge(env, view->charged_bytes);
}

void ForgetView(View* view) {
  view->Unreference();
}

bool HasMemory(napi_env env, const View& view) {
  const napi_value object = ArrayBufferOf(env, view);
  return view.memory != nullptr && object != nullptr && !IsDetached(env, object);
}

bool ReclaimAddresses(napi_env env) {
  const ViewsOfThread* const views = ViewsOf(env);
  View* view = views == nullptr ? nullptr : views->first;
  while (view != nullptr && !view->HoldsAddressesOnly()) view = view->next;
  if (view == nullptr) return false;
  CollectGarbage(env);
  bool is_any = false;
  for (; view != nullptr; view = view->next) {
    if (!view->HoldsAddressesOnly() || ArrayBufferOf(env, *view) != nullptr) continue;
    view->addresses.reset();
    is_any = true;
  }
  return is_any;
}

}  // namespace node_numa
