// Stream capture and graphs. Nodes of a graph that no edge orders run latest first.
#include <algorithm>
#include <pthread.h>

#include "driver.h"

namespace emu {

std::set<Capture*> captures;

namespace {

uint64_t next_capture = 1;
std::set<Graph*> graphs;

struct Exec {
    std::shared_ptr<std::vector<Node>> nodes;
};
std::set<Exec*> execs;

void run_nodes(const std::vector<Node>& nodes) {
    std::vector<char> done(nodes.size(), 0);
    for (size_t n = 0; n < nodes.size(); n++) {
        for (size_t i = nodes.size(); i-- > 0;) {
            const Node& node = nodes[i];
            bool ready = !done[i] && std::all_of(node.after.begin(), node.after.end(), [&](int a) { return done[a]; });
            if (ready) {
                done[i] = 1;
                if (!lost && node.work->run) {
                    node.work->run(node.work->data);
                }
                break;
            }
        }
    }
}

}  // namespace

CUresult unsafe_call() {
    CUresult r = CUDA_SUCCESS;
    for (Capture* c : captures) {
        if (c->mode == 0 || (c->mode == 1 && c->thread == pthread_self())) {
            c->broken = true;
            r = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
        }
    }
    return r;
}

}  // namespace emu

using namespace emu;

#define EXPORT extern "C" __attribute__((visibility("default")))
#define EMU_STREAM(handle)                            \
    emu::Stream* stream = emu::stream_of(handle, context); \
    if (!stream) return CUDA_ERROR_INVALID_HANDLE

EXPORT CUresult cuStreamBeginCapture_v2(void* handle, int mode) {
    EMU_CURRENT(cuStreamBeginCapture_v2);
    EMU_STREAM(handle);
    if (mode < 0 || mode > 2) return CUDA_ERROR_INVALID_VALUE;
    if (stream->legacy) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    if (stream->capture) {
        stream->capture->broken = true;
        return CUDA_ERROR_ILLEGAL_STATE;
    }
    auto c = std::make_shared<Capture>();
    c->graph = new Graph();
    c->origin = stream;
    c->mode = mode;
    c->thread = pthread_self();
    c->id = next_capture++;
    c->streams.insert(stream);
    stream->capture = c;
    stream->capture_tail.clear();
    captures.insert(c.get());
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamEndCapture(void* handle, void** graph) {
    EMU_CURRENT(cuStreamEndCapture);
    EMU_STREAM(handle);
    if (!graph) return CUDA_ERROR_INVALID_VALUE;
    *graph = nullptr;
    std::shared_ptr<Capture> c = stream->capture;
    if (!c) return CUDA_ERROR_ILLEGAL_STATE;
    if (c->origin != stream) {
        c->broken = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    }
    if (c->mode != 2 && c->thread != pthread_self()) return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    // All that other streams did must lead to where the origin stands.
    std::vector<char> reached(c->graph->nodes.size(), 0);
    std::vector<int> open = stream->capture_tail;
    while (!open.empty()) {
        int n = open.back();
        open.pop_back();
        if (!reached[n]) {
            reached[n] = 1;
            open.insert(open.end(), c->graph->nodes[n].after.begin(), c->graph->nodes[n].after.end());
        }
    }
    bool joined = std::all_of(reached.begin(), reached.end(), [](char r) { return r; });
    captures.erase(c.get());
    for (Stream* s : c->streams) {
        s->capture = nullptr;
        s->capture_tail.clear();
    }
    if (c->broken || !joined) {
        delete c->graph;
        return c->broken ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED : CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    }
    graphs.insert(c->graph);
    *graph = c->graph;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamIsCapturing(void* handle, int* status) {
    EMU_CURRENT(cuStreamIsCapturing);
    EMU_STREAM(handle);
    if (!status) return CUDA_ERROR_INVALID_VALUE;
    *status = !stream->capture ? 0 : stream->capture->broken ? 2 : 1;
    return CUDA_SUCCESS;
}

static CUresult capture_info(Stream* stream, int* status, uint64_t* id, void** graph) {
    if (!status) return CUDA_ERROR_INVALID_VALUE;
    *status = !stream->capture ? 0 : stream->capture->broken ? 2 : 1;
    if (id) *id = stream->capture ? stream->capture->id : 0;
    if (graph) *graph = stream->capture ? stream->capture->graph : nullptr;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamGetCaptureInfo(void* handle, int* status, uint64_t* id) {
    EMU_CURRENT(cuStreamGetCaptureInfo);
    EMU_STREAM(handle);
    return capture_info(stream, status, id, nullptr);
}

EXPORT CUresult cuStreamGetCaptureInfo_v2(void* handle, int* status, uint64_t* id, void** graph, const void***,
                                          size_t* dependencies) {
    EMU_CURRENT(cuStreamGetCaptureInfo_v2);
    EMU_STREAM(handle);
    if (dependencies) *dependencies = 0;
    return capture_info(stream, status, id, graph);
}

EXPORT CUresult cuThreadExchangeStreamCaptureMode(int* mode) {
    EMU_PLAIN(cuThreadExchangeStreamCaptureMode);
    static thread_local int current = 0;
    if (!mode) return CUDA_ERROR_INVALID_VALUE;
    std::swap(*mode, current);
    return CUDA_SUCCESS;
}

static CUresult instantiate(void** exec, void* handle) {
    Graph* g = static_cast<Graph*>(handle);
    if (!exec) return CUDA_ERROR_INVALID_VALUE;
    if (graphs.count(g) == 0) return CUDA_ERROR_INVALID_VALUE;
    Exec* e = new Exec{std::make_shared<std::vector<Node>>(g->nodes)};
    execs.insert(e);
    *exec = e;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGraphInstantiateWithFlags(void** exec, void* graph, unsigned long long) {
    EMU_CURRENT(cuGraphInstantiateWithFlags);
    return instantiate(exec, graph);
}

EXPORT CUresult cuGraphInstantiate_v2(void** exec, void* graph, void** node, char*, size_t) {
    EMU_CURRENT(cuGraphInstantiate_v2);
    if (node) *node = nullptr;
    return instantiate(exec, graph);
}

EXPORT CUresult cuGraphInstantiate(void** exec, void* graph, void** node, char*, size_t) {
    EMU_CURRENT(cuGraphInstantiate);
    if (node) *node = nullptr;
    return instantiate(exec, graph);
}

EXPORT CUresult cuGraphUpload(void* exec, void* handle) {
    EMU_CURRENT(cuGraphUpload);
    EMU_STREAM(handle);
    return execs.count(static_cast<Exec*>(exec)) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

EXPORT CUresult cuGraphLaunch(void* exec, void* handle) {
    EMU_CURRENT(cuGraphLaunch);
    EMU_STREAM(handle);
    Exec* e = static_cast<Exec*>(exec);
    if (execs.count(e) == 0) {
        error("cuGraphLaunch: %p is not an executable graph, or one that was destroyed", exec);
        return CUDA_ERROR_INVALID_VALUE;
    }
    std::shared_ptr<std::vector<Node>> nodes = e->nodes;
    return put(lock, stream, make_work([nodes] { run_nodes(*nodes); }, "cuGraphLaunch"));
}

EXPORT CUresult cuGraphExecDestroy(void* exec) {
    EMU_CURRENT(cuGraphExecDestroy);
    Exec* e = static_cast<Exec*>(exec);
    if (execs.erase(e) == 0) return CUDA_ERROR_INVALID_VALUE;
    delete e;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGraphDestroy(void* graph) {
    EMU_CURRENT(cuGraphDestroy);
    Graph* g = static_cast<Graph*>(graph);
    if (graphs.erase(g) == 0) return CUDA_ERROR_INVALID_VALUE;
    delete g;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGraphGetNodes(void* graph, void** nodes, size_t* count) {
    EMU_CURRENT(cuGraphGetNodes);
    Graph* g = static_cast<Graph*>(graph);
    if (graphs.count(g) == 0 || !count) return CUDA_ERROR_INVALID_VALUE;
    if (nodes) {
        for (size_t i = 0; i < *count; i++) {
            nodes[i] = i < g->nodes.size() ? &g->nodes[i] : nullptr;
        }
    }
    *count = g->nodes.size();
    return CUDA_SUCCESS;
}
