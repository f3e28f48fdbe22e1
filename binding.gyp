{
  # One build description for two tools: node-gyp users get what native/CMakeLists.txt builds.
  "targets": [
    {
      "target_name": "sluice_native",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["native/CMakeLists.txt"],
          "outputs": ["build/Release/sluice_native.node"],
          "action": ["npx", "--no-install", "cmake-js", "compile", "--directory", "native", "--out", "build"]
        }
      ]
    }
  ]
}
