# `skser serve` without TensorFlow, for a user without rights and a read-only root file system:
#
#   docker build --tag skser .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp \
#     --publish 127.0.0.1:8000:8000 --volume "$PWD/model.skser:/models/model.skser:ro" skser
#
# --build-arg RUNTIME=serve is smaller, for models without a network; RUNTIME=serve-embeddings is for
# pre-trained encoders that a model file only names. --build-arg CPU=x86-64-v3 takes a sixth less time
# for a request, on processors since 2015.

ARG CPU=generic

FROM python:3.11-slim AS build
ARG RUNTIME=serve-onnx
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/skser
COPY deploy/ deploy/
RUN python -m pip --python /opt/skser/bin/python install \
    --no-compile --no-deps --only-binary :all: -r "deploy/$RUNTIME.txt"
COPY . .
# Bytecode that does not depend on the times of files, which copies between images may change, and
# machine code for any processor of this architecture: no container compiles either anew.
ARG CPU
ENV NUMBA_CPU_NAME=$CPU NUMBA_CPU_FEATURES=""
RUN python -m pip --python /opt/skser/bin/python install --no-compile --no-deps . \
    && /opt/skser/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/skser/lib \
    && /opt/skser/bin/python -I deploy/compile.py

FROM python:3.11-slim
COPY --from=build /opt/skser /opt/skser
ARG CPU
ENV PATH=/opt/skser/bin:$PATH \
    NUMBA_CPU_NAME=$CPU \
    NUMBA_CPU_FEATURES="" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /models
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["skser", "serve", "--host", "0.0.0.0", "--port", "8000"]
CMD ["/models/model.skser"]
